import { MemoryDestination } from '@logferry/core/testing';
import bunyan from 'bunyan';
import { describe, expect, test } from 'vitest';
import { type DestinationEntry, destinationStream, type StreamOptions } from '../src/index.js';

function start(options: StreamOptions = {}) {
  const destination = new MemoryDestination();
  const entry = destinationStream({ destination, ...options });
  const logger = bunyan.createLogger({ name: 'shop', streams: [entry] });
  return { destination, entry, stream: entry.stream, logger };
}

/** The lines that bunyan itself writes to a stream of its own. */
function linesOf(logger: bunyan): string[] {
  const lines: string[] = [];
  const write = (line: unknown) => lines.push(String(line).trimEnd());
  logger.addStream({ type: 'stream', level: 'trace', stream: { write } });
  return lines;
}

describe('the text of a record', () => {
  test('is the line that bunyan itself writes', async () => {
    const { logger, stream, destination } = start();
    const lines = linesOf(logger);
    logger.info('hello');
    logger.warn({ user: { id: 7 }, none: undefined, at: new Date(0) }, 'hello %s', 'you');
    logger.error(new Error('broken'));
    logger.child({ request: 'r1' }).info('from a child');
    await stream.flush();
    expect(destination.texts).toHaveLength(4);
    expect(destination.texts).toEqual(lines);
  });

  test('is valid JSON also with cycles and BigInt', async () => {
    const { logger, stream, destination } = start();
    const cycle: Record<string, unknown> = { big: 1n };
    cycle.self = cycle;
    logger.info({ cycle }, 'hello');
    await stream.flush();
    expect(JSON.parse(destination.texts[0] ?? '')).toMatchObject({
      msg: 'hello',
      cycle: { big: 1, self: '[Circular]' },
    });
  });

  test('has name, message, stack and cause of an error in any field', async () => {
    const { logger, stream, destination } = start();
    const problem = new RangeError('broken', { cause: new Error('inner') });
    logger.error({ problem, details: { problems: [problem] } }, 'hello');
    await stream.flush();
    const expected = { name: 'RangeError', message: 'broken', stack: problem.stack, cause: { message: 'inner' } };
    expect(JSON.parse(destination.texts[0] ?? '')).toMatchObject({
      msg: 'hello',
      problem: expected,
      details: { problems: [expected] },
    });
  });

  test("holds the results of the logger's serializers", async () => {
    const { logger, stream, destination } = start();
    logger.addSerializers({ user: (user: { id: number }) => user.id });
    logger.info({ user: { id: 7, password: 'x' } }, 'hello');
    await stream.flush();
    expect(JSON.parse(destination.texts[0] ?? '')).toMatchObject({ user: 7 });
  });
});

describe('the level of a record', () => {
  test("is bunyan's name for it, and urgent from warn up", async () => {
    const { logger, destination } = start({ level: 'trace' });
    for (const level of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) logger[level]('hello');
    expect(destination.records.map(({ level, urgent }) => [level, urgent])).toEqual([
      ['trace', false],
      ['debug', false],
      ['info', false],
      ['warn', true],
      ['error', true],
      ['fatal', true],
    ]);
  });

  test('is its digits when it has no name', () => {
    const { logger, destination } = start();
    logger.info({ level: 35 }, 'hello');
    logger.info({ level: 45 }, 'hello');
    expect(destination.records.map(({ level, urgent }) => [level, urgent])).toEqual([
      ['35', false],
      ['45', true],
    ]);
  });
});

describe('the time of a record', () => {
  test('is the time that bunyan sets', () => {
    const { logger, destination, entry } = start();
    const before = Date.now();
    logger.info('hello');
    expect(destination.record.time).toBeGreaterThanOrEqual(before);
    expect(destination.record.time).toBe((destination.record.fields.time as Date).getTime());
    expect(entry.stream.stats().received).toBe(1);
  });

  test('is the time that the application logs, as an ISO string or in epoch milliseconds', () => {
    const { logger, destination } = start();
    for (const time of ['2026-01-02T03:04:05.006Z', 1767323045006]) logger.info({ time }, 'hello');
    expect(destination.records.map((record) => record.time)).toEqual([1767323045006, 1767323045006]);
  });

  test('is now if the field cannot be read', () => {
    const { logger, destination } = start();
    const before = Date.now();
    logger.info({ time: 'yesterday' }, 'hello');
    expect(destination.record.time).toBeGreaterThanOrEqual(before);
  });
});

test('a record is passed to the destination unchanged, also a frozen one', async () => {
  const { stream, destination } = start();
  const record = Object.freeze({ name: 'shop', level: 30, msg: 'hello', time: new Date(), v: 0 });
  stream.write(record);
  await stream.flush();
  expect(destination.record.fields).toBe(record);
  expect(destination.texts).toEqual([JSON.stringify(record)]);
});

test('records that cannot be read are counted, and throw nothing', async () => {
  const { stream, destination } = start({ onDrop: () => {} });
  const hostile = new Proxy(
    {},
    {
      get: () => {
        throw new Error('hostile');
      },
    },
  );
  for (const record of [hostile, null, undefined]) expect(stream.write(record)).toBe(true);
  expect(stream.write({ level: 30, msg: 'fine' })).toBe(true);
  await stream.flush();
  expect(destination.texts).toEqual(['{"level":30,"msg":"fine"}']);
  expect(stream.stats().dropped.unencodable).toBe(3);
});

describe('a stream that is not used as a raw one', () => {
  const startPlain = () => {
    const { entry, destination } = start();
    return { logger: bunyan.createLogger({ name: 'shop', streams: [asPlain(entry)] }), entry, destination };
  };
  const asPlain = ({ stream }: DestinationEntry): bunyan.Stream => ({ type: 'stream', stream });

  test("ships bunyan's lines, with their level and time", async () => {
    const { logger, entry, destination } = startPlain();
    const lines = linesOf(logger);
    logger.warn('hello');
    await entry.stream.flush();
    expect(destination.texts).toEqual(lines);
    expect(destination.record).toMatchObject({ level: 'warn', urgent: true, fields: { msg: 'hello' } });
    expect(destination.record.time).toBe(Date.parse(JSON.parse(lines[0] ?? '').time));
  });

  test.each(['not json', '42', '[1]', '{"cut'])('ships plain text as it is: %s', async (text) => {
    const { entry, destination } = start();
    entry.stream.write(`${text}\n`);
    await entry.stream.flush();
    expect(destination.texts).toEqual([text]);
    expect(destination.record).toMatchObject({ level: 'info', urgent: false, fields: { msg: text } });
  });
});
