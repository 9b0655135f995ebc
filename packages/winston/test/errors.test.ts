import { assertBalanced, type DeliveryError, DeliveryError as Failure } from '@logferry/core';
import { MemoryDestination } from '@logferry/core/testing';
import { describe, expect, test } from 'vitest';
import winston from 'winston';
import { DestinationTransport, type TransportOptions } from '../src/index.js';

/** A record that throws when it is copied. */
function unreadable(): object {
  const fail = () => {
    throw new Error('from a getter');
  };
  const info = { level: 'info', message: 'bad', [Symbol.for('level')]: 'info' };
  return Object.defineProperty(info, 'bad', { enumerable: true, get: fail });
}

/** A logger whose destination refuses each request with the text 'bad'. */
function startFailing(options: TransportOptions) {
  const destination = new MemoryDestination();
  destination.respond = ({ events }) => {
    if (events.some(({ payload }) => String(payload).includes('bad'))) throw new Failure('INVALID', 'no such thing');
  };
  const transport = new DestinationTransport({ destination, onDrop: () => {}, ...options });
  const logger = winston.createLogger({ transports: transport });
  return { destination, transport, logger };
}

/** Logs a record that fails once, until somebody was told, and then delivers it. */
async function failOnce({ destination, transport, logger }: ReturnType<typeof startFailing>, told: readonly unknown[]) {
  destination.respond = () => {
    destination.respond = () => {};
    throw new Failure('AUTH', 'no such thing');
  };
  logger.info('x');
  void transport.flush({ timeoutMs: 0 });
  await expect.poll(() => told.length).toBeGreaterThan(0);
  await transport.flush();
}

describe('a failure that is reported', () => {
  test("is a 'warn' event of transport and logger, like its end, and is reported to onError", async () => {
    const calls: unknown[] = [];
    const started = startFailing({ onError: (error) => void calls.push('onError', error) });
    const { logger, transport } = started;
    logger.on('warn', (error, source) => calls.push('logger', error, source));
    transport.on('warn', (error) => calls.push('transport', error));
    await failOnce(started, calls);
    const errors = [calls[1], calls[8]] as DeliveryError[];
    expect(errors).toMatchObject([
      { name: 'DeliveryError', code: 'AUTH', message: 'no such thing' },
      { name: 'DeliveryError', code: 'RECOVERED' },
    ]);
    expect(calls).toEqual(
      errors.flatMap((error) => ['onError', error, 'logger', error, transport, 'transport', error]),
    );
  });

  test('is a warning also when onError throws', async () => {
    const started = startFailing({
      onError: () => {
        throw new Error('from onError');
      },
    });
    const warnings: unknown[] = [];
    started.transport.on('warn', (error) => warnings.push(error));
    await failOnce(started, warnings);
    expect(warnings).toHaveLength(2);
  });

  test('does not stop delivery when nobody listens, or a listener throws', async () => {
    const { logger, transport, destination } = startFailing({ onError: () => {} });
    for (const text of ['bad', 'first']) logger.info(text);
    await transport.flush();
    transport.on('warn', () => {
      throw new Error('from a listener');
    });
    for (const text of ['bad', 'second']) logger.info(text);
    await transport.flush();
    expect(destination.texts).toEqual(['first', 'second'].map((message) => JSON.stringify({ level: 'info', message })));
  });

  test("is never an 'error' event", async () => {
    const { logger, transport } = startFailing({ onError: () => {} });
    const errors: unknown[] = [];
    logger.on('error', (error) => errors.push(error));
    transport.on('error', (error) => errors.push(error));
    for (const text of ['fine', 'bad']) logger.info(text);
    await transport.flush();
    expect(transport.stats().dropped.invalid).toBe(1);
    expect(errors).toEqual([]);
  });
});

describe("the transport's own format", () => {
  const startWith = (transform: () => never | false) => {
    const destination = new MemoryDestination();
    const format = winston.format((info) => (info.message === 'fine' ? info : transform()));
    const transport = new DestinationTransport({
      destination,
      format: winston.format.combine(format(), winston.format.simple()),
      onDrop: () => {},
    });
    const sibling = new DestinationTransport({ destination: new MemoryDestination() });
    // The logger's format must not read the fields: the getter would throw there.
    const logger = winston.createLogger({ format: winston.format.timestamp(), transports: [transport, sibling] });
    return { destination, transport, sibling, logger };
  };

  test('does not throw into the application: the record is counted, and the next one shipped', async () => {
    const { logger, transport, sibling, destination } = startWith(() => {
      throw new Error('from the format');
    });
    logger.info('bad');
    transport.write(unreadable());
    logger.info('fine');
    await transport.flush();
    expect(destination.texts).toEqual([expect.stringMatching(/^info: fine/)]);
    expect(transport.stats()).toMatchObject({ received: 3, delivered: 1, dropped: { unencodable: 2 } });
    expect(sibling.stats().received).toBe(2);
    assertBalanced(transport.stats());
  });

  test('leaves out a record by returning false, and the record is not counted', async () => {
    const { logger, transport, destination } = startWith(() => false);
    logger.info('bad');
    logger.info('fine');
    await transport.flush();
    expect(destination.texts).toEqual([expect.stringMatching(/^info: fine/)]);
    expect(transport.stats().received).toBe(1);
  });
});

describe('a getter that throws', () => {
  const keys = ['message', 'timestamp', 'exception', 'rejection', 'trace', Symbol.for('message')];

  test.each(keys)('never throws into the application, and the record is shipped or counted: %s', async (key) => {
    const destination = new MemoryDestination();
    const transport = new DestinationTransport({
      destination,
      handleExceptions: true,
      handleRejections: true,
      onDrop: () => {},
    });
    // The logger's format must not read the fields: the getter would throw there.
    const logger = winston.createLogger({ format: winston.format((info) => info)(), transports: transport });
    const info = { level: 'info', message: 'hello', exception: true, [Symbol.for('message')]: 'hello' };
    const fail = () => {
      throw new Error('from a getter');
    };
    logger.log(Object.defineProperty(info, key, { enumerable: true, get: fail }));
    logger.info('fine');
    const { received, delivered, dropped } = await transport.flush();
    expect({ received, settled: delivered + dropped.unencodable }).toEqual({ received: 2, settled: 2 });
    expect(destination.texts.at(-1)).toContain('fine');
    assertBalanced(transport.stats());
  });

  test('never throws into the application from a record that cannot be read at all', async () => {
    const transport = new DestinationTransport({ destination: new MemoryDestination(), onDrop: () => {} });
    const sealed = new Proxy({}, { get: (_, key) => fail(key), set: () => true });
    const fail = (key: string | symbol): undefined => {
      // winston itself reads the level.
      if (key === 'level') return undefined;
      throw new Error('from a getter');
    };
    for (const value of [sealed, undefined, null, 'text']) transport.write(value);
    transport.log(sealed);
    expect(transport.stats()).toMatchObject({ received: 5, dropped: { unencodable: 5 } });
    assertBalanced(transport.stats());
  });
});

test('a loss is reported to onDrop', async () => {
  const drops: unknown[] = [];
  const { logger, transport } = startFailing({ onError: () => {}, onDrop: (drop) => drops.push(drop) });
  for (const text of ['fine', 'bad']) logger.info(text);
  await transport.flush();
  expect(drops).toMatchObject([{ reason: 'invalid', records: 1 }]);
});

test('callbacks that throw or reject never reach the application', async () => {
  const throwing = () => {
    throw new Error('from a callback');
  };
  const rejecting = () => Promise.reject(new Error('from a callback'));
  for (const callback of [throwing, rejecting]) {
    const { logger, transport } = startFailing({ onError: callback, onDrop: callback, maxBufferBytes: 4096 });
    logger.info('x'.repeat(5000));
    for (const text of ['fine', 'bad']) logger.info(text);
    await transport.flush();
    expect(transport.stats()).toMatchObject({ delivered: 1, dropped: { 'buffer-full': 1, invalid: 1 } });
  }
});
