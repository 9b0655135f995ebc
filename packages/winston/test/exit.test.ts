import { startCloudWatch } from '@logferry/emulators';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { runChild } from './support/run-child.js';
import { versions } from './support/versions.js';

let service: Awaited<ReturnType<typeof startCloudWatch>>;
let seen = 0;
/** The environment of an application whose service is down. */
let unreachable: Readonly<Record<string, string>>;

beforeAll(async () => {
  service = await startCloudWatch({ strict: true });
  const gone = await startCloudWatch({ strict: true });
  unreachable = gone.env;
  await gone.close();
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

const names = versions.map(([name]) => name);

describe('a crash that winston handles is delivered before winston exits, long before it would give up:', () => {
  const places = { transports: ['before'], exceptionHandlers: [], both: ['before'] };

  test.each([
    ['exception', 'transports', 'winston'],
    ['rejection', 'transports', 'winston'],
    ['exception', 'exceptionHandlers', 'winston'],
    ['exception', 'both', 'winston'],
    ['exception', 'both', 'winston-3.2'],
    ['rejection', 'transports', 'winston-3.2'],
  ] as const)('%s, in %s of %s', async (crash, place, name) => {
    const env = { ...service.env, WINSTON: name, CRASH: crash, PLACE: place, WARM_UP: 'yes' };
    const { code, stdout, stderr } = await runChild('crash.mjs', env);
    expect(code).toBe(1);
    expect(messages()).toEqual(['warm-up', ...places[place], expect.stringMatching(/^un\w+: broken/)]);
    expect(stderr).toBe('');
    expect(Number(stdout)).toBeLessThan(2000);
  });
});

test('a crash waits no longer than winston does when the service does not respond', async () => {
  service.faults({ hang: 1 });
  const { code, stdout } = await runChild('crash.mjs', service.env);
  expect(code).toBe(1);
  expect(Number(stdout)).toBeLessThan(6000);
});

describe.concurrent('records that a crash cannot deliver are counted and reported on stderr', () => {
  test.each([
    ['transports', 'true', 'winston', '2 records'],
    ['transports', 'function', 'winston', '2 records'],
    ['exceptionHandlers', 'true', 'winston', '1 record'],
    ['both', 'true', 'winston', '2 records'],
    ['both', 'true', 'winston-3.2', '2 records'],
  ])('in %s, exitOnError is %s, of %s', async (place, exitOnError, name, lost) => {
    const env = { ...unreachable, WINSTON: name, PLACE: place, EXIT_ON_ERROR: exitOnError };
    const { code, stderr } = await runChild('crash.mjs', env);
    expect(code).toBe(1);
    expect(stderr.match(/\d+ records? lost \([^)]*\)/g)).toEqual([`${lost} lost (undeliverable ${lost[0]})`]);
  });
});

test.each(names)('with exitOnError false of %s the transport goes on shipping after each crash', async (name) => {
  const { code } = await runChild('go-on.mjs', { ...service.env, WINSTON: name });
  expect(code).toBe(0);
  expect(messages()).toEqual([
    expect.stringMatching(/^uncaughtException: broken 1/),
    'after 1',
    expect.stringMatching(/^uncaughtException: broken 2/),
    'after 2',
  ]);
});
