import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startEmulator } from './support/servers.js';

/** Runs a process that logs a record and ends naturally. Rejects if its exit code is not 0, or if it takes 20 s. */
async function logOne(serviceEnv: Readonly<Record<string, string>>, closeTimeoutMs: number) {
  const file = fileURLToPath(new URL('children/one-record.mjs', import.meta.url));
  const env = { ...process.env, ...serviceEnv, CLOSE_TIMEOUT_MS: String(closeTimeoutMs) };
  const startedMs = performance.now();
  const { stderr } = await promisify(execFile)(process.execPath, [file], { env, timeout: 20_000 });
  return { stderr, tookMs: performance.now() - startedMs };
}

it('lets a process with a request in flight end at closeTimeoutMs, and reports the loss', async () => {
  const { emulator } = await startEmulator();
  emulator.faults({ hang: 1 });
  const { stderr, tookMs } = await logOne(emulator.env, 300);
  expect(emulator.stats().requests.PutLogEvents).toBe(1);
  expect(stderr).toMatch(/\[logferry\] cloudwatch: .*1 record lost \(undeliverable 1\)/);
  expect(tookMs).toBeLessThan(10_000);
});

it('keeps the process alive until a late response comes', async () => {
  const { emulator } = await startEmulator();
  emulator.faults({ delayMs: 300 });
  const { tookMs } = await logOne(emulator.env, 15_000);
  expect(emulator.events()).toHaveLength(1);
  expect(tookMs).toBeLessThan(10_000);
});
