// Builds the package in the current folder twice, as ES modules and as CommonJS, from one source.
import { spawnSync } from 'node:child_process';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
const tsc = join(typescript, 'bin', 'tsc');

rmSync('dist', { recursive: true, force: true });
for (const project of ['tsconfig.json', 'tsconfig.cjs.json']) {
  const { status } = spawnSync(process.execPath, [tsc, '-p', project], { stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}
// The source says where it is in the way of CommonJS, and "import.meta" would not compile there.
if (existsSync('dist/esm/here.js')) writeFileSync('dist/esm/here.js', 'export const here = import.meta.url;\n');
writeFileSync('dist/cjs/package.json', '{"type":"commonjs"}\n');
