import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { startEmulator } from './support/servers.js';
import { startSource } from './support/sources.js';

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

const NO_FILES = { AWS_CONFIG_FILE: '/dev/null', AWS_SHARED_CREDENTIALS_FILE: '/dev/null', AWS_REGION: 'us-east-1' };

it.each([
  ['the endpoint of a container', (url: string) => ({ AWS_CONTAINER_CREDENTIALS_FULL_URI: url })],
  ['a credential process', () => ({ AWS_CONFIG_FILE: configFile('[default]\ncredential_process = sleep 15\n') })],
])('lets a process end at closeTimeoutMs while %s hangs, and reports the loss', async (_, env) => {
  const { url } = await startSource(() => undefined);
  const { stderr, tookMs } = await logOne({ ...NO_FILES, ...env(url) }, 300);
  expect(stderr).toMatch(/\[logferry\] cloudwatch: .*1 record lost \(undeliverable 1\)/);
  // Timers of the SDK may last for 3 s.
  expect(tookMs).toBeLessThan(10_000);
});

function configFile(text: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'logferry-exit-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  writeFileSync(join(folder, 'config'), text);
  return join(folder, 'config');
}
