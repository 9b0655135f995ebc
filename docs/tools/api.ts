import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Application } from 'typedoc';
import type ts from 'typescript';
import { type EntryPoint, root } from './entry-points.js';

const DESCRIPTION =
  'Each class, function and type that the packages export, with its parameters, units, defaults and errors.';

/** Options of typedoc-plugin-markdown. */
const MARKDOWN = {
  outputFileStrategy: 'modules',
  entryFileName: 'index',
  hidePageHeader: true,
  hideBreadcrumbs: true,
  parametersFormat: 'table',
  interfacePropertiesFormat: 'table',
  typeDeclarationFormat: 'table',
};

/** Writes the reference of all entry points to docs/api: one page each, made of the comments in the declarations. */
export async function writeApi(program: ts.Program, entryPoints: readonly EntryPoint[]): Promise<void> {
  const app = await Application.bootstrapWithPlugins({
    plugin: ['typedoc-plugin-markdown'],
    entryPoints: entryPoints.map(({ types }) => types),
    tsconfig: join(root, 'docs/tsconfig.json'),
    name: 'API',
    readme: 'none',
    excludeExternals: true,
    excludePrivate: true,
    disableSources: true,
    hideGenerator: true,
    excludeProtected: true,
    validation: false,
    logLevel: 'Error',
  });
  for (const [name, value] of Object.entries(MARKDOWN)) app.options.setValue(name as never, value as never);
  const project = app.converter.convert(
    entryPoints.map(({ name, types }) => ({
      displayName: name,
      program,
      sourceFile: program.getSourceFile(types) as ts.SourceFile,
    })),
  );
  await app.outputs.writeOutput({ name: 'markdown', path: join(root, 'docs/api') }, project);
  const index = join(root, 'docs/api/index.md');
  writeFileSync(index, `---\ndescription: ${DESCRIPTION}\n---\n\n${readFileSync(index, 'utf8')}`);
  if (app.logger.hasErrors()) throw new Error('The API reference could not be made.');
}
