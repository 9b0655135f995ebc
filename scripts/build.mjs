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
for (const file of readdirSync('dist/esm', { recursive: true, encoding: 'utf8' })) {
  if (basename(file) === 'module-url.js')
    writeFileSync(join('dist/esm', file), 'export const moduleUrl = import.meta.url;\n');
}
writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');
