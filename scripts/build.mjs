// Builds the package in the current folder from one source: as ES modules, and, if package.json exports it, as CommonJS. Its arguments
// are files of dist/esm.
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
if (exported.some((entry) => entry.require)) await writeCommonJs();
await writeEsModules();

async function writeCommonJs() {
  cpSync('dist/esm', 'dist/cjs', { recursive: true, filter: (file) => !file.endsWith('.js') });
  writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');
  const apart = files.filter((file) => isOwnUrl(file) || basename(file) === 'import-module.js');
  for (const file of apart) writeCjs(file, readFileSync(join('dist/esm', file), 'utf8'));
  // `import()` of a package becomes `require`, which is faster, and which jest has without a flag.
  for (const { path, text } of await joinModules(apart))
    writeCjs(relative('dist/esm', path), text, { 'dynamic-import': false });
}

function writeCjs(file, code, supported = {}) {
  const options = { format: 'cjs', platform: 'node', target: 'node20', supported };
  writeFileSync(join('dist/cjs', file), transformSync(code, options).code);
}

async function writeEsModules() {
  const apart = files.filter(isOwnUrl);
  const joined = await joinModules(apart);
  for (const file of files) rmSync(join('dist/esm', file));
  for (const { path, contents } of joined) writeFileSync(path, contents);
  // The source gets its own URL in the way of CommonJS, where "import.meta" does not compile.
  for (const file of apart) writeFileSync(join('dist/esm', file), 'export const moduleUrl = import.meta.url;\n');
}

/**
 * Joins the modules to a few files, as Node.js needs up to 1 ms to load one: those that package.json exports, those that the arguments
 * name, since they are loaded by their path, and what these share. A file that stays apart is loaded by its path, too: the one that
 * knows its own URL, so that the copy of it in a bundle is told apart.
 */
async function joinModules(apart) {
  const entries = exported.flatMap((entry) => entry.import?.default ?? entry.default ?? []);
  const { outputFiles } = await build({
    entryPoints: [...entries, ...process.argv.slice(2).map((file) => `./dist/esm/${file}`)],
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

function isOwnUrl(file) {
  return basename(file) === 'module-url.js';
}
