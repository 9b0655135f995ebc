import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

/** The folder of the repository. */
export const root: string = fileURLToPath(new URL('../..', import.meta.url));

/** What an import names, and the declarations behind it. */
export interface EntryPoint {
  /** Folder of the package in `packages`. */
  readonly folder: string;
  /** As in an import: `@logferry/winston/cloudwatch`. */
  readonly name: string;
  /** Path of the declarations. */
  readonly types: string;
}

/** The entry points of all packages that are published. */
export function findEntryPoints(): EntryPoint[] {
  return readdirSync(join(root, 'packages')).flatMap((folder) => {
    const { name, exports } = JSON.parse(readFileSync(join(root, 'packages', folder, 'package.json'), 'utf8'));
    return Object.entries<Target>(exports).flatMap(([subpath, target]) => {
      const types = typeof target === 'string' ? undefined : (target.import?.types ?? target.types);
      if (types === undefined) return [];
      return [{ folder, name: name + subpath.slice(1), types: join(root, 'packages', folder, types) }];
    });
  });
}

type Target = string | { readonly types?: string; readonly import?: { readonly types?: string } };

/** The declarations of all packages, as a user's compiler sees them. TypeScript 7 has no such API. */
export function createProgram(entryPoints: readonly EntryPoint[]): ts.Program {
  const program = ts.createProgram(
    entryPoints.map(({ types }) => types),
    {
      module: ts.ModuleKind.NodeNext,
      moduleResolution: ts.ModuleResolutionKind.NodeNext,
      target: ts.ScriptTarget.ES2023,
      strict: true,
      skipLibCheck: true,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
      noEmit: true,
    },
  );
  const missing = entryPoints.find(({ types }) => !program.getSourceFile(types));
  if (missing) throw new Error(`There is no ${missing.types}: npm run build`);
  return program;
}
