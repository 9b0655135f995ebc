// Builds the package in the current folder from one source: as ES modules, and, if package.json exports it, as CommonJS. Its arguments
// are files that are loaded by their path: cjs/thread/worker.js
import { spawnSync } from 'node:child_process';
import { cpSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative, resolve } from 'node:path';
import { build, transformSync } from 'esbuild';

const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
const tsc = join(typescript, 'bin', 'tsc');

rmSync('dist', { recursive: true, force: true });
const { status } = spawnSync(process.execPath, [tsc, '-p', 'tsconfig.json'], { stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

const exported = Object.values(JSON.parse(readFileSync('package.json', 'utf8')).exports);
const files = readdirSync('dist/esm', { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.js'));
/** The code, as ES modules, of files that are written for CommonJS: one source cannot say both. They stay apart from the others, so that the copy of module-url.js in a bundle is told apart. */
const esCode = {
  // webpack replaces `import.meta.url` by the place of the file when the bundle is made, and the name of the file by that of the bundle.
  'module-url.js': `import { pathToFileURL } from 'node:url';

export const moduleUrl = import.meta.filename && pathToFileURL(import.meta.filename).href;
`,
  'module-cache.js': 'export const moduleCache = undefined;\n',
};
const apart = files.filter((file) => basename(file) in esCode);
if (exported.some((entry) => entry.require)) await writeCommonJs();
await writeEsModules();

async function writeCommonJs() {
  cpSync('dist/esm', 'dist/cjs', { recursive: true, filter: (file) => !file.endsWith('.js') });
  writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');
  for (const file of apart) writeCjs(file, readFileSync(join('dist/esm', file), 'utf8'));
  for (const { path, text } of await joinModules('cjs')) writeCjs(relative('dist/esm', path), text);
}

/** `import()` stays: a bundler accepts that its package is missing, and Node.js loads an ES module by it. */
function writeCjs(file, code) {
  const options = { format: 'cjs', platform: 'node', target: 'node20' };
  writeFileSync(join('dist/cjs', file), transformSync(code, options).code);
}

async function writeEsModules() {
  const joined = await joinModules('esm');
  for (const file of files) rmSync(join('dist/esm', file));
  for (const { path, contents } of joined) writeFileSync(path, contents);
  for (const file of apart) writeFileSync(join('dist/esm', file), esCode[basename(file)]);
}

/**
 * Joins the modules to a few files, as Node.js needs up to 1 ms to load one: those that package.json exports, those that the arguments
 * name, and what these share.
 */
async function joinModules(format) {
  const entries = exported.flatMap((entry) => entry.import?.default ?? entry.default ?? []);
  const loadedByPath = process.argv.slice(2).filter((file) => file.startsWith(`${format}/`));
  const { outputFiles } = await build({
    entryPoints: [...entries, ...loadedByPath.map((file) => `./dist/esm/${relative(format, file)}`)],
    outdir: 'dist/esm',
    outbase: 'dist/esm',
    bundle: true,
    splitting: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    external: apart.map((file) => resolve('dist/esm', file)),
  });
  return outputFiles;
}
