import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { startShop } from './support/servers.js';

/** Runs a process that logs a record and ends naturally. Rejects if its exit code is not 0, or if it takes 20 s. */
async function logOne(target: object, closeTimeoutMs: number) {
  const file = fileURLToPath(new URL('children/one-record.mjs', import.meta.url));
  const env = { ...process.env, TARGET: JSON.stringify(target), CLOSE_TIMEOUT_MS: String(closeTimeoutMs) };
  const startedMs = performance.now();
  const { stderr } = await promisify(execFile)(process.execPath, [file], { env, timeout: 20_000 });
  return { stderr, tookMs: performance.now() - startedMs };
}

it('lets a process with a request in flight end at closeTimeoutMs, and reports the loss', async () => {
  const { emulator } = await startShop();
  emulator.faults({ hang: 1 });
  const { stderr, tookMs } = await logOne(emulator.target, 300);
  expect(emulator.stats().requests).toBe(1);
  expect(stderr).toMatch(/\[logferry\] log-service: .*1 record lost \(undeliverable 1\)/);
  expect(tookMs).toBeLessThan(10_000);
});

it('keeps the process alive until a late response comes', async () => {
  const { emulator } = await startShop();
  emulator.faults({ delayMs: 300 });
  const { tookMs } = await logOne(emulator.target, 15_000);
  expect(emulator.events()).toHaveLength(1);
  expect(tookMs).toBeLessThan(10_000);
});
