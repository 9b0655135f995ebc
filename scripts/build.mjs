// Builds the package in the current folder from one source: as ES modules, and, if it has tsconfig.cjs.json, as CommonJS. Its arguments
// are files of dist/esm.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { build } from 'esbuild';

const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
const tsc = join(typescript, 'bin', 'tsc');

rmSync('dist', { recursive: true, force: true });
const hasCommonJs = existsSync('tsconfig.cjs.json');
for (const project of ['tsconfig.json', ...(hasCommonJs ? ['tsconfig.cjs.json'] : [])]) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
// The source gets its own URL in the way of CommonJS, where "import.meta" does not compile.
replace('dist/esm', 'module-url.js', 'export const moduleUrl = import.meta.url;\n');
if (hasCommonJs) {
  // tsc compiles "import()" to "require" there, which loads no file by its URL.
  replace('dist/cjs', 'import-module.js', 'exports.importModule = (url) => import(url);\n');
  writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');
}
await joinModules();

/**
 * Joins the ES modules to a few files, as Node.js needs about 1 ms to import one: those that package.json exports, those that the
 * arguments name, since they are loaded by their path, and what these share. The file that knows its own URL stays as it is, so that the
 * copy of it in a bundle is told apart.
 */
async function joinModules() {
  const { exports } = JSON.parse(readFileSync('package.json', 'utf8'));
  const exported = Object.values(exports).flatMap((each) => each.import?.default ?? each.default ?? []);
  const files = readdirSync('dist/esm', { recursive: true, encoding: 'utf8' });
  const [own, joined] = [files.filter(isOwnUrl), files.filter((file) => /\.js(\.map)?$/.test(file) && !isOwnUrl(file))];
  const { outputFiles } = await build({
    entryPoints: [...exported, ...process.argv.slice(2).map((file) => `./dist/esm/${file}`)],
    outdir: 'dist/esm',
    outbase: 'dist/esm',
    bundle: true,
    splitting: true,
    write: false,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    packages: 'external',
    external: own.map((file) => resolve('dist/esm', file)),
  });
  for (const file of joined) rmSync(join('dist/esm', file));
  for (const { path, contents } of outputFiles) writeFileSync(path, contents);
}

function isOwnUrl(file) {
  return basename(file) === 'module-url.js';
}

function replace(folder, name, code) {
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (basename(file) === name) writeFileSync(join(folder, file), code);
}
