import { startCloudWatch } from '@logferry/emulators';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { runChild } from './support/run-child.js';

let service: Awaited<ReturnType<typeof startCloudWatch>>;
let seen = 0;

beforeAll(async () => {
  service = await startCloudWatch();
});
afterEach(() => {
  service.faults();
  seen = service.events().length;
  expect(service.stats().violations).toEqual([]);
});
afterAll(() => service.close());

/** The messages that arrived during the test. */
function messages(): string[] {
  return service
    .events()
    .slice(seen)
    .map(({ message }) => JSON.parse(message).msg);
}

test('a process that exits after stream.close() delivers 1,000 of 1,000', async () => {
  const { code } = await runChild('close-then-exit.mjs', service.env);
  expect(code).toBe(0);
  expect(messages()).toEqual(Array.from({ length: 1000 }, (_, index) => `line ${index}`));
});

test('a process that just ends delivers, and ends soon', async () => {
  const { code, tookMs } = await runChild('natural-end.cjs', { ...service.env, CLOSE_TIMEOUT_MS: '15000' });
  expect(code).toBe(0);
  expect(messages()).toHaveLength(10);
  expect(tookMs).toBeLessThan(10_000);
});

test('a process whose service is down keeps running, ends at closeTimeoutMs, and says what it lost', async () => {
  service.faults({ down: true });
  const { code, stderr, tookMs } = await runChild('natural-end.cjs', { ...service.env, CLOSE_TIMEOUT_MS: '300' });
  expect(code).toBe(0);
  expect(stderr).toMatch(/\[logferry\] cloudwatch: .*10 records lost \(undeliverable 10\)/);
  expect(tookMs).toBeLessThan(10_000);
});
