// Builds the package in the current folder twice from one source: as ES modules and as CommonJS.
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';

const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
const tsc = join(typescript, 'bin', 'tsc');

rmSync('dist', { recursive: true, force: true });
for (const project of ['tsconfig.json', 'tsconfig.cjs.json']) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
// The source gets its own URL in the way of CommonJS, where "import.meta" does not compile.
replace('dist/esm', 'module-url.js', 'export const moduleUrl = import.meta.url;\n');
// tsc compiles "import()" to "require" there, which loads no file by its URL.
replace('dist/cjs', 'import-module.js', 'exports.importModule = (url) => import(url);\n');
writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');

function replace(folder, name, code) {
  for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' }))
    if (basename(file) === name) writeFileSync(join(folder, file), code);
}
