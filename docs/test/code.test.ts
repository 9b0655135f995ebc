import { execFile } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { startCloudWatch, startLogService } from '@logferry/emulators';
import ts from 'typescript';
import { describe, expect, it } from 'vitest';
import { full } from '../../forms.js';
import { freePort } from '../../test/support/free-port.js';
import { root } from '../tools/entry-points.js';
import { listPages, listReadmes } from '../tools/pages.js';
import { type Block, blocksOf } from './blocks.js';
import { parsers } from './parsers.js';

const blocks = [...listReadmes(), ...listPages()].flatMap(blocksOf);
/** Complete examples begin with an import. Others are fragments, and those with a label belong to a file or to other packages. */
const complete = blocks.filter(
  ({ language, label, code }) => language === 'js' && !label && code.startsWith('import '),
);
const nameOf = ({ file, line }: Block) => `${file}:${line}`;
/** The long form has the others. */
const isShort = ({ file }: Block) => /README\.md$|^docs\/(index\.md|start\/)/.test(file);

it('each page that logs has an example that runs', () => {
  const files = new Set(complete.map(({ file }) => file));
  expect(
    [...listReadmes(), ...listPages()].filter(
      (file) => /packages\/(?!cli)|start\/(winston|pino|bunyan)/.test(file) && !files.has(file),
    ),
  ).toEqual([]);
});

describe('complete examples run unchanged, as in a container where only localhost has a name', () => {
  const noNames = `--require ${JSON.stringify(join(root, 'test/support/no-names.cjs'))}`;
  const chosen = complete.filter((block) => full !== isShort(block)).map((block) => [nameOf(block), block] as const);

  it.concurrent.each(chosen)('%s', async (_name, { code }) => {
    const cloudWatch = await startCloudWatch({ strict: true });
    const logService = await startLogService({ strict: true });
    const directory = mkdtempSync(join(tmpdir(), 'logferry-docs-'));
    const { endpoint, project, logstore } = logService.target;
    const env = {
      ...process.env,
      ...cloudWatch.env,
      ...logService.env,
      SLS_ENDPOINT: endpoint,
      SLS_PROJECT: project,
      SLS_LOGSTORE: logstore,
      SPOOL_DIRECTORY: directory,
      OTEL_EXPORTER_PROMETHEUS_PORT: String(await freePort()),
      NODE_OPTIONS: noNames,
    };
    try {
      const args = ['--input-type=module', '--eval', code];
      await promisify(execFile)(process.execPath, args, { cwd: join(root, 'test'), env, timeout: 60_000 });
      expect([...cloudWatch.stats().violations, ...logService.stats().violations]).toEqual([]);
      if (/logGroupName: 'shop'|SLS_/.test(code) && /\.(info|accept)\(/.test(code))
        expect(cloudWatch.events().length + logService.events().length).toBeGreaterThan(0);
    } finally {
      rmSync(directory, { recursive: true });
      await cloudWatch.close();
      await logService.close();
    }
  });
});

it('modules in TypeScript compile', () => {
  const modules = blocks.filter(({ language, label }) => language === 'ts' && !label);
  // A file of the folder that has all packages.
  const files = new Map(modules.map((block, index) => [join(root, `test/block-${index}.ts`), block]));
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.NodeNext,
    target: ts.ScriptTarget.ES2023,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: ['node'],
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile } = host;
  host.fileExists = (path) => files.has(path) || fileExists(path);
  host.readFile = (path) => files.get(path)?.code ?? readFile(path);
  const program = ts.createProgram([...files.keys()], options, host);
  const problems = ts.getPreEmitDiagnostics(program).map(({ file, start = 0, messageText }) => {
    const block = files.get(file?.fileName ?? '');
    const line = (block?.line ?? 0) + 1 + (file?.getLineAndCharacterOfPosition(start).line ?? 0);
    return `${block?.file ?? file?.fileName}:${line}: ${ts.flattenDiagnosticMessageText(messageText, ' ')}`;
  });
  expect(modules.length).toBeGreaterThan(0);
  expect(problems).toEqual([]);
});

it('all code is well-formed, in a language that the tests know', async () => {
  const problems: string[] = [];
  for (const block of blocks) {
    try {
      const parse = Object.hasOwn(parsers, block.language) && parsers[block.language];
      if (!parse) throw new Error(`a language that the tests do not know: ${block.language}`);
      await parse(block.code);
    } catch (error) {
      problems.push(`${nameOf(block)}: ${(error as Error).message}`);
    }
  }
  expect(problems).toEqual([]);
});

it('code with the name of an example is in its file', () => {
  const examples = listExamples();
  const problems = blocks.filter(({ label, code }) => {
    const candidates = examples.filter((file) => label && `/${file}`.endsWith(`/${label}`));
    return candidates.length > 0 && !candidates.some((file) => hasCode(readFileSync(join(root, file), 'utf8'), code));
  });
  expect(problems.map((block) => `${nameOf(block)}: ${block.label}`)).toEqual([]);
});

function listExamples(): string[] {
  return readdirSync(join(root, 'examples'), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.\w+$/.test(file) && !file.includes('node_modules'))
    .map((file) => `examples/${file}`);
}

/** The code has all of the file, or parts of it in their order with `// …` between them. */
function hasCode(text: string, code: string): boolean {
  let from = 0;
  return code.split(/^ *\/\/ …\n/m).every((part) => {
    const found = text.indexOf(part.trim(), from);
    from = found + part.trim().length;
    return found >= 0;
  });
}
