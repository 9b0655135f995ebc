import { execFile, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { startLogService } from '@logferry/emulators';
import { expect, it, onTestFinished } from 'vitest';

const root = join(import.meta.dirname, '..');
const resolve = createRequire(import.meta.url).resolve;

async function run(type: 'module' | 'commonjs', code: string, env: Record<string, string> = {}): Promise<string> {
  const args = [`--input-type=${type}`, '--eval', code];
  const { stdout } = await promisify(execFile)(process.execPath, args, { cwd: root, env: { ...process.env, ...env } });
  return stdout;
}

const SEND = `
  const destination = createLogService({ ...JSON.parse(process.env.TARGET), compression: 'lz4' });
  const event = destination.encode({ time: 1, level: 'info', urgent: false, text: '', fields: { a: 'same '.repeat(100) } });
  const batch = { route: event.route, events: [event], bytes: event.bytes };
  // The request itself does not keep the process alive.
  const waiting = setTimeout(() => {}, 5000);
  const sent = destination.send(batch, AbortSignal.timeout(5000)).finally(() => clearTimeout(waiting));
  sent.then(() => {
    const endMs = performance.now();
    // An open connection would keep the process for 4 s.
    process.on('exit', () => {
      if (performance.now() - endMs > 2000) process.exitCode = 1;
    });
  });
`;

it.each([
  ['module', `import { createLogService } from '@logferry/log-service';${SEND}await sent;`],
  ['commonjs', `const { createLogService } = require('@logferry/log-service');${SEND}`],
] as const)('sends, and lets the process end while its connection is open (%s)', async (type, code) => {
  const emulator = await startLogService({ strict: true });
  onTestFinished(() => emulator.close());
  await run(type, code, { TARGET: JSON.stringify(emulator.target) });
  expect(emulator.stats()).toMatchObject({ storedLogs: 1, compression: { lz4: 1 }, violations: [] });
});

it('loads lz4js, which takes 5 MB, with the first body that it compresses', async () => {
  const emulator = await startLogService({ strict: true });
  onTestFinished(() => emulator.close());
  const isLoaded = `Object.keys(require.cache).some((file) => file.includes('lz4js'))`;
  const code = `const { createLogService } = require('@logferry/log-service');
    const before = ${isLoaded};${SEND}
    sent.then(() => console.log(before, ${isLoaded}));`;
  expect(await run('commonjs', code, { TARGET: JSON.stringify(emulator.target) })).toBe('false true\n');
});

it.each(['esm', 'cjs'])('delivers after all file descriptors were in use at the first record (%s)', async (format) => {
  const emulator = await startLogService({ strict: true });
  onTestFinished(() => emulator.close());
  const file = join(import.meta.dirname, 'children/no-descriptors.mjs');
  const command = ['-c', 'ulimit -n 100; exec "$@"', 'sh', process.execPath, file, format];
  const env = { ...process.env, TARGET: JSON.stringify(emulator.target) };
  const { stdout } = await promisify(execFile)('sh', command, { env });
  // The descriptors are free when the failure was told; the backoff may be shorter.
  expect(stdout).toMatch(/^(UNAVAILABLE\n)+delivered 1\n$/);
  expect(emulator.stats().compression).toEqual({ lz4: 1 });
});

it('has types that need neither lz4js nor those of Node.js', () => {
  const app = mkdtempSync(join(tmpdir(), 'logferry-'));
  onTestFinished(() => rmSync(app, { recursive: true, force: true }));
  mkdirSync(join(app, 'node_modules', '@logferry'), { recursive: true });
  symlinkSync(root, join(app, 'node_modules', '@logferry', 'log-service'));
  const source = `import { createLogService } from '@logferry/log-service';
createLogService({ endpoint: 'x', project: 'shop', logstore: 'web', fetch });\n`;
  writeFileSync(join(app, 'main.mts'), source);
  writeFileSync(join(app, 'main.cts'), source);
  const compilerOptions = { module: 'nodenext', strict: true, skipLibCheck: false, noEmit: true, types: [] };
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const tsc = join(dirname(resolve('typescript/package.json')), 'bin', 'tsc');
  const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', app], { encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});
