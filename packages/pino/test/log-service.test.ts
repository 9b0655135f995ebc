import { type LogServiceEmulator, startLogService } from '@logferry/emulators';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import logService, { type LogServiceTargetOptions } from '../src/log-service.js';

let emulator: LogServiceEmulator;

beforeAll(async () => {
  emulator = await startLogService({ strict: true });
});

afterAll(() => emulator.close());

/** What Log Service stores of what a real logger logs. */
async function storedLog(options: pino.LoggerOptions, own: object): Promise<Readonly<Record<string, string>>> {
  const stream = await logService(emulator.target);
  pino({ base: null, ...options }, stream).info(own, 'order paid');
  await stream.close();
  return emulator.events().at(-1)?.fields ?? {};
}

it.each([7, 30, 'info'])('stores a field of the application that is named level: %s', async (level) => {
  expect(await storedLog({}, { level })).toMatchObject({ level: 'info', level_: String(level), msg: 'order paid' });
});

it('stores the level that pino writes if the line has no time and the application has a level', async () => {
  expect(await storedLog({ timestamp: false }, { level: 'high' })).toMatchObject({ level: 'info', level_: 'high' });
});

it('invents no level for a logger that writes a severity', async () => {
  const formatters = { level: (label: string) => ({ severity: label.toUpperCase() }) };
  const log = await storedLog({ formatters }, {});
  expect(log).toMatchObject({ severity: 'INFO', msg: 'order paid' });
  expect(log).not.toHaveProperty('level');
});

it.each([
  ['a text', '"2026-04-30T12:34:56.789123456Z"', '2026-04-30T12:34:56.789123456Z'],
  ['a number', '1777552496789123456', '1777552496789123456'],
])('stores all digits of a time in nanoseconds, which is %s', async (_, time, digits) => {
  const log = await storedLog({ timestamp: () => `,"time":${time}` }, {});
  expect(log).toMatchObject({ time: '2026-04-30T12:34:56.789Z', time_: digits });
});

it('stores numbers with the digits of the line', async () => {
  const timestamp = (): string => `,"time":${Date.now()},"big":9007199254740993,"zero":-0,"one":1.0,"list":[1E400]`;
  expect(await storedLog({ timestamp }, { amount: 12.5, id: 9007199254740993n })).toMatchObject({
    big: '9007199254740993',
    zero: '-0',
    one: '1.0',
    list: '[1E400]',
    amount: '12.5',
    id: '9007199254740993',
  });
});

it('refuses functions that name routes in the options of a target: they cannot be cloned', () => {
  const target = '@logferry/pino/log-service';
  const plain = emulator.target;
  const good = { ...plain, topic: '{level}', tags: { tenant: '{field:tenant}' } } satisfies LogServiceTargetOptions;
  // @ts-expect-error a function that names logstores
  const logstore = { ...plain, logstore: () => 'web' } satisfies LogServiceTargetOptions;
  // @ts-expect-error a function that names topics
  const topic = { ...plain, topic: () => 'web' } satisfies LogServiceTargetOptions;
  // @ts-expect-error a function that names a tag
  const tags = { ...plain, tags: { tenant: () => 'acme' } } satisfies LogServiceTargetOptions;
  // @ts-expect-error a function that names routes
  const route = { ...plain, route: () => ({ topic: 'web' }) } satisfies LogServiceTargetOptions;
  for (const options of [logstore, topic, tags, route])
    expect(() => pino.transport({ target, options })).toThrow(expect.objectContaining({ name: 'DataCloneError' }));
  expect(good.topic).toBe('{level}');
});
