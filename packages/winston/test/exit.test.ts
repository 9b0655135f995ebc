import { startCloudWatch } from '@logferry/emulators';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runChild } from './support/run-child.js';

let service: Awaited<ReturnType<typeof startCloudWatch>>;
let seen = 0;

beforeAll(async () => {
  service = await startCloudWatch({ strict: true });
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
    .map(({ message }) => JSON.parse(message).message);
}

describe('a crash that winston handles is delivered before winston exits, long before it would give up:', () => {
  test.each([
    ['exception', ['warm-up', 'before', expect.stringMatching(/^uncaughtException: broken/)]],
    ['rejection', ['warm-up', 'before', expect.stringMatching(/^unhandledRejection: broken/)]],
    ['exception in exceptionHandlers', ['warm-up', expect.stringMatching(/^uncaughtException: broken/)]],
  ])('%s', async (crash, expected) => {
    const { code, stdout } = await runChild('crash.mjs', { ...service.env, CRASH: crash });
    expect(code).toBe(1);
    expect(messages()).toEqual(expected);
    expect(Number(stdout)).toBeLessThan(2000);
  });
});

test('a crash waits no longer than winston does when the service does not respond', async () => {
  service.faults({ hang: 1 });
  const { code, stdout } = await runChild('crash.mjs', { ...service.env, CRASH: 'exception without a response' });
  expect(code).toBe(1);
  expect(Number(stdout)).toBeLessThan(6000);
});

test('records that a crash cannot deliver are counted and reported on stderr', async () => {
  service.faults({ down: true });
  const { code, stderr } = await runChild('crash.mjs', { ...service.env, CRASH: 'exception without a response' });
  expect(code).toBe(1);
  expect(stderr).toContain('2 records lost (undeliverable 2)');
});

test('with exitOnError false the transport goes on shipping after each crash', async () => {
  const { code } = await runChild('go-on.mjs', service.env);
  expect(code).toBe(0);
  expect(messages()).toEqual([
    expect.stringMatching(/^uncaughtException: broken 1/),
    'after 1',
    expect.stringMatching(/^uncaughtException: broken 2/),
    'after 2',
  ]);
});
