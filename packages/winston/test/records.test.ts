import { once } from 'node:events';
import { inspect } from 'node:util';
import { runInNewContext } from 'node:vm';
import { MemoryDestination } from '@logferry/core/testing';
import { describe, expect, test } from 'vitest';
import winston, { type LoggerOptions } from 'winston';
import Transport from 'winston-transport';
import { DestinationTransport, type TransportOptions } from '../src/index.js';

const { format } = winston;

function start(logging: LoggerOptions = {}, options: TransportOptions = {}) {
  const destination = new MemoryDestination();
  const transport = new DestinationTransport({ destination, ...options });
  const logger = winston.createLogger({ ...logging, transports: transport });
  return { destination, transport, logger };
}

describe('the text of a record', () => {
  test("is the line of winston's default format", async () => {
    const { logger, transport, destination } = start();
    logger.info('hello', { user: 7 });
    await transport.flush();
    expect(destination.texts).toEqual(['{"level":"info","message":"hello","user":7}']);
  });

  test('is the line of a printf format', async () => {
    const { logger, transport, destination } = start({ format: format.printf((info) => `<${info.message}>`) });
    logger.info('hello');
    await transport.flush();
    expect(destination.texts).toEqual(['<hello>']);
  });

  test("is the line of the transport's own format", async () => {
    const { logger, transport, destination } = start(
      { format: format.json() },
      { format: format.combine(format.uncolorize(), format.simple()) },
    );
    logger.info('hello');
    await transport.flush();
    expect(destination.texts).toEqual(['info: hello']);
  });

  test('is JSON of the fields when no format makes one', async () => {
    const { logger, transport, destination } = start({ format: format.timestamp() });
    logger.info({ message: 'hello', timestamp: '2026-01-02T03:04:05.006Z', big: 12n });
    await transport.flush();
    expect(JSON.parse(destination.texts[0] ?? '')).toMatchObject({ level: 'info', message: 'hello', big: 12 });
  });

  test('is JSON of the fields when MESSAGE is not a string', () => {
    const { transport, destination } = start();
    transport.log({ level: 'info', message: 'hello', [Symbol.for('message')]: 42 });
    expect(destination.record.text).toBe('{"level":"info","message":"hello"}');
  });

  test('carries the meta of the logger and of a child logger', async () => {
    const { logger, transport, destination } = start({ defaultMeta: { service: 'shop' } });
    logger.child({ request: 'r1' }).info('hello');
    await transport.flush();
    expect(JSON.parse(destination.texts[0] ?? '')).toEqual({
      level: 'info',
      message: 'hello',
      service: 'shop',
      request: 'r1',
    });
  });

  test("carries message and stack of an error that is logged alone where winston's errors format adds them", async () => {
    const { errors, json, combine } = format;
    const { logger, transport, destination } = start({ format: combine(errors({ stack: true }), json()) });
    const error = new Error('broken');
    logger.error(error);
    await transport.flush();
    expect(JSON.parse(destination.texts[0] ?? '')).toEqual({ level: 'error', message: 'broken', stack: error.stack });
  });

  test("carries message and stack of an error that is logged alone where the transport's own format adds them", async () => {
    const { errors, json, combine } = format;
    const { logger, transport, destination } = start({}, { format: combine(errors({ stack: true }), json()) });
    const error = Object.assign(new Error('broken'), { code: 'E1' });
    const far = runInNewContext('new Error("far")');
    for (const each of [error, far]) logger.error(each);
    await transport.flush();
    expect(destination.texts.map((line) => JSON.parse(line))).toMatchObject([
      { level: 'error', message: 'broken', stack: error.stack, code: 'E1' },
      { level: 'error', message: 'far', stack: far.stack },
    ]);
    expect(destination.records[1]?.level).toBe('error');
  });

  test('carries message and stack of an error that is logged alone if there is no line', () => {
    const { transport, destination } = start();
    const error = Object.assign(new Error('broken'), { level: 'error', code: 'E1' });
    transport.log(error as unknown as Record<string, unknown>);
    expect(JSON.parse(destination.record.text)).toEqual({
      level: 'error',
      code: 'E1',
      name: 'Error',
      message: 'broken',
      stack: error.stack,
    });
  });
});

describe('the level of a record', () => {
  test('has no colour codes when the text has them', () => {
    const { logger, transport, destination } = start({
      format: format.combine(format.colorize(), format.simple()),
    });
    logger.warn('hello');
    return transport.flush().then(() => {
      expect(destination.record.level).toBe('warn');
      expect(destination.record.text).toBe('\u001b[33mwarn\u001b[39m: hello');
    });
  });

  test('is info.level when winston did not set the symbol', () => {
    const { transport, destination } = start();
    transport.log({ level: 'verbose', message: 'hello' });
    expect(destination.record.level).toBe('verbose');
  });
});

describe('the time of a record', () => {
  const logged = (timestamp: unknown): number => {
    const { transport, destination } = start();
    transport.log({ level: 'info', message: 'hello', timestamp });
    return destination.record.time;
  };

  test.each([
    ['an ISO string', '2026-01-02T03:04:05.006Z'],
    ['epoch milliseconds', 1767323045006],
    ['a Date', new Date('2026-01-02T03:04:05.006Z')],
  ])('is the field timestamp, as %s', (_, timestamp) => {
    expect(logged(timestamp)).toBe(Date.UTC(2026, 0, 2, 3, 4, 5, 6));
  });

  test.each([
    ['absent', undefined],
    ['unreadable', 'yesterday'],
  ])('is now when the timestamp is %s', (_, timestamp) => {
    const before = Date.now();
    const time = logged(timestamp);
    expect(time).toBeGreaterThanOrEqual(before);
    expect(time).toBeLessThanOrEqual(Date.now());
  });

  test("is the time of winston's timestamp format", async () => {
    const { logger, transport, destination } = start({ format: format.combine(format.timestamp(), format.json()) });
    logger.info('hello');
    await transport.flush();
    const { timestamp } = JSON.parse(destination.texts[0] ?? '');
    expect(destination.record.time).toBe(Date.parse(timestamp));
  });
});

describe('the fields of a record', () => {
  test('are all enumerable fields of the info', async () => {
    const { logger, transport, destination } = start({ defaultMeta: { service: 'shop' } });
    logger.info('hello', { user: { id: 7 } });
    await transport.flush();
    expect({ ...destination.record.fields }).toMatchObject({
      level: 'info',
      message: 'hello',
      service: 'shop',
      user: { id: 7 },
    });
  });
});

describe('the fields of an error that is logged alone', () => {
  test.each([
    ['of this realm', () => new Error('broken', { cause: new TypeError('inner') })],
    ['of another realm', () => runInNewContext('new Error("broken", { cause: new TypeError("inner") })')],
  ])('are its name, message, stack and cause, %s', async (_, make) => {
    const { logger, transport, destination } = start();
    const error = make();
    logger.error(error);
    await transport.flush();
    const { name, message, stack, cause, level } = destination.record.fields;
    expect({ name, message, stack, level }).toEqual({
      name: 'Error',
      message: 'broken',
      stack: error.stack,
      level: 'error',
    });
    expect(cause).toBe(error.cause);
  });
});

describe('records', () => {
  test('that cannot be read are counted, throw nothing, and do not delay the next one', async () => {
    const { transport, destination } = start({}, { onDrop: () => {} });
    const getter = Object.defineProperty({}, Symbol.for('message'), {
      get: () => {
        throw new Error('hostile');
      },
    });
    const trap = new Proxy(
      {},
      {
        get: () => {
          throw new Error('hostile');
        },
      },
    );
    let called = 0;
    for (const info of [getter, trap, undefined, null]) transport.log(info as never, () => called++);
    transport.log({ level: 'info', message: 'fine' }, () => called++);
    await transport.flush();
    expect(called).toBe(5);
    expect(destination.texts.at(-1)).toBe('{"level":"info","message":"fine"}');
    expect(transport.stats().dropped.unencodable).toBe(4);
  });

  test('with cycles and BigInt are shipped as JSON', async () => {
    const { logger, transport, destination } = start({ format: format.errors({ stack: true }) });
    const cycle: Record<string, unknown> = { big: 1n };
    cycle.self = cycle;
    logger.info('hello', cycle);
    await transport.flush();
    expect(JSON.parse(destination.texts[0] ?? '')).toMatchObject({ message: 'hello', big: 1 });
  });
});

test('a frozen record is shipped, and other transports see no change', async () => {
  const seen: string[] = [];
  const sibling = () =>
    new Transport({
      log: (info: object, next: () => void) => {
        seen.push(inspect(info, { showHidden: true }));
        next();
      },
    });
  const freeze = format((info) => Object.freeze(info));
  const destination = new MemoryDestination();
  const logger = winston.createLogger({
    format: format.combine(format.json(), freeze()),
    transports: [sibling(), new DestinationTransport({ destination }), sibling()],
  });
  logger.info('hello', { user: { id: 7 } });
  logger.end();
  await once(logger, 'finish');
  expect(destination.texts).toHaveLength(1);
  expect(seen).toHaveLength(2);
  expect(seen[1]).toBe(seen[0]);
});
