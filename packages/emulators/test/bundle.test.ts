import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';
import { expect, it, onTestFinished } from 'vitest';

const SCRIPT = `
  import { startDev } from '@logferry/emulators';
  const dev = await startDev({ port: 0 });
  const script = await fetch(new URL('/_logferry/assets/preact.js', dev.url));
  console.log(script.status, (await fetch(dev.url)).status);
  await dev.close();
`;

it('starts in a bundle that does not know its own place, and finds its page from the working directory', async () => {
  const cwd = mkdtempSync(join(tmpdir(), 'logferry-'));
  onTestFinished(() => rmSync(cwd, { recursive: true, force: true }));
  symlinkSync(fileURLToPath(new URL('../../../node_modules', import.meta.url)), join(cwd, 'node_modules'));
  await build({
    stdin: { contents: SCRIPT, resolveDir: cwd },
    outfile: join(cwd, 'bundle.mjs'),
    bundle: true,
    platform: 'node',
    format: 'esm',
    define: { 'import.meta.filename': 'undefined' },
    external: ['@smithy/*'],
  });
  const output = execFileSync(process.execPath, ['bundle.mjs'], { cwd, encoding: 'utf8' });
  expect(output).toBe('200 200\n');
});
