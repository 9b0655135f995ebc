import { once } from 'node:events';
import { createRequire } from 'node:module';
import { pipeline } from 'node:stream/promises';
import { assertBalanced, DeliveryError, type DeliveryOptions, type Drop, type LogRecord } from '@logferry/core';
import { MemoryDestination, never } from '@logferry/core/testing';
import pino from 'pino';
import { expect, it, vi } from 'vitest';
import { type DestinationStreamOptions, destinationStream } from '../src/index.js';

function start(options: Omit<DestinationStreamOptions, 'destination'> = {}) {
  const destination = new MemoryDestination();
  const stream = destinationStream({ destination, ...options });
  return { destination, stream, logger: pino({ level: 'trace' }, stream) };
}

function unavailable(): never {
  throw new DeliveryError('UNAVAILABLE', 'the service is down');
}

const quiet: DeliveryOptions = { onError: () => {}, onDrop: () => {} };

it('ships the line as pino wrote it', async () => {
  const { destination, stream, logger } = start();
  logger.info({ orderId: 'A-17' }, 'order paid');
  logger.child({ requestId: 7 }).warn('slow');
  const report = await stream.close();
  expect(report.delivered).toBe(2);
  expect(destination.texts.map((line) => JSON.parse(line))).toMatchObject([
    { level: 30, orderId: 'A-17', msg: 'order paid' },
    { level: 40, requestId: 7, msg: 'slow' },
  ]);
});

it('counts a record before the log call returns', () => {
  const { stream, logger } = start();
  logger.info('x');
  expect(stream.stats()).toMatchObject({ received: 1, pending: 1 });
});

/** As pino's worker gets a long line: in parts of 4 MiB. */
function writeInParts(stream: { write(chunk: string): boolean }, text: string): void {
  const partChars = 4 * 1024 * 1024;
  for (let start = 0; start < text.length; start += partChars) stream.write(text.slice(start, start + partChars));
}

it('ships a line of 30 MB as one record, with its level, time and fields', async () => {
  const { destination, stream } = start({ ...quiet, level: 'warn', dropNotice: false });
  const line = JSON.stringify({ level: 50, time: 1777552496789, stack: 'x'.repeat(30_000_000), msg: 'failed' });
  writeInParts(stream, `${line}\nnext\n`);
  expect(stream.stats()).toMatchObject({ received: 1 });
  const { level, time, fields, text } = destination.records[0] as LogRecord;
  expect({ level, time, names: Object.keys(fields) }).toEqual({
    level: 'error',
    time: 1777552496789,
    names: ['level', 'time', 'stack', 'msg'],
  });
  expect(text.length).toBe(line.length);
  await stream.close({ timeoutMs: 0 });
});

it('counts a line of more than maxBufferBytes as too large, keeps nothing of it, and goes on with the next', async () => {
  const drops: Drop[] = [];
  const { destination, stream } = start({ ...quiet, onDrop: (drop) => drops.push(drop), maxBufferBytes: 5_000_000 });
  for (const end of ['"}\n', '"}\r\n']) {
    writeInParts(stream, `{"level":50,"time":1777552496789,"msg":"${'x'.repeat(12_000_000)}`);
    stream.write(`${end}{"level":30,"time":1777552496789,"msg":"next"}\n`);
  }
  const { received, dropped, delivered } = await stream.close();
  expect({ received, delivered, tooLarge: dropped['too-large'] }).toEqual({ received: 4, delivered: 2, tooLarge: 2 });
  expect(destination.records.filter(({ text }) => text.includes('next'))).toHaveLength(2);
  expect(drops).toMatchObject([{ reason: 'too-large', records: 2, from: 1777552496789, to: 1777552496789 }]);
  expect(String(drops[0]?.cause)).toContain('longer than maxBufferBytes');
});

it('with a level, leaves out a line of more than maxBufferBytes by the level that it begins with', async () => {
  const { stream } = start({ ...quiet, level: 'warn', maxBufferBytes: 10_000 });
  const rest = `"time":1,"msg":"${'x'.repeat(20_000)}"}\n`;
  for (const level of ['"level":30,', '"level":40,', '"level":"info",', '"level":"audit",', ''])
    stream.write(`{${level}${rest}`);
  expect((await stream.close()).dropped['too-large']).toBe(3);
});

it('reads lines from bytes, wherever these are cut', async () => {
  const { destination, stream } = start();
  const bytes = Buffer.from('Grüße 😀\r\n世界\nlast');
  for (const byte of bytes) stream.write(Buffer.from([byte]));
  await stream.close();
  expect(destination.texts).toEqual(['Grüße 😀', '世界', 'last']);
});

it('ships the line that a stream is destroyed with, and what end() is called with', async () => {
  const [destroyed, ended] = [start(), start()];
  destroyed.stream.write('half a line');
  await once(destroyed.stream.destroy(), 'close');
  ended.stream.write('a ');
  await once(ended.stream.end('line'), 'close');
  expect([...destroyed.destination.texts, ...ended.destination.texts]).toEqual(['half a line', 'a line']);
});

it('counts and tells what it cannot read', async () => {
  const drops: Drop[] = [];
  const { stream } = start({ ...quiet, onDrop: (drop) => drops.push(drop) });
  const hostile = {
    toString() {
      throw new Error('hostile');
    },
  };
  expect(stream.write(hostile)).toBe(true);
  expect((await stream.close()).dropped.unencodable).toBe(1);
  expect(String(drops[0]?.cause)).toContain('hostile');
});

it('does not parse lines for a destination that reads text', async () => {
  const stream = destinationStream({
    destination: {
      name: 'lines',
      reads: 'text',
      limits: { maxEvents: 10, maxBytes: 10_000 },
      encode: ({ time, text }) => ({ route: 'all', time, payload: text, bytes: text.length }),
      send: async ({ bytes }) => ({ rejected: [], wireBytes: bytes }),
    },
  });
  const parse = vi.spyOn(JSON, 'parse');
  pino(stream).info({ a: 1 }, 'x');
  expect(parse).not.toHaveBeenCalled();
  parse.mockRestore();
  await stream.close();
});

it('ships any line from any writer', async () => {
  const { destination, stream } = start();
  stream.write('plain text\n\n{"level":30,"ti');
  stream.write(Buffer.from('me":1}\r\n{"cut'));
  await stream.close();
  expect(destination.texts).toEqual(['plain text', '{"level":30,"time":1}', '{"cut']);
});

it.each([
  ['warn', ['warn', 'error', 'fatal']],
  [35, ['warn', 'error', 'fatal']],
  [undefined, ['trace', 'debug', 'info', 'warn', 'error', 'fatal']],
] as const)('with level %s, ships %j', async (level, expected) => {
  const { destination, stream, logger } = start({ level });
  for (const label of ['trace', 'debug', 'info', 'warn', 'error', 'fatal'] as const) logger[label]('x');
  const report = await stream.close();
  expect(destination.records.map((record) => record.level)).toEqual(expected);
  expect(report.received).toBe(expected.length);
});

it('with a level, ships lines whose level cannot be compared, and treats plain text as info', async () => {
  const { destination, stream } = start({ level: 'warn' });
  const shipped = ['{"level":"notice","time":1}', '{"severity":"ERROR","time":2}', '{"level":"ERROR","time":3}'];
  stream.write(['{"level":"INFO"}', 'plain', ...shipped, ''].join('\n'));
  await stream.close();
  expect(destination.texts).toEqual(shipped);
});

it('can be required', () => {
  const require = createRequire(import.meta.url);
  expect(require('@logferry/pino')).toMatchObject({
    destinationStream: expect.any(Function),
    stats: expect.any(Function),
  });
  expect(require('@logferry/pino/cloudwatch').default).toBeTypeOf('function');
});

it('never pushes back and never emits "error" while deliveries fail', async () => {
  const drops: Drop[] = [];
  const { destination, stream, logger } = start({
    ...quiet,
    maxBufferBytes: 40_000,
    closeTimeoutMs: 0,
    onDrop: (drop) => drops.push(drop),
  });
  destination.respond = unavailable;
  const failed = vi.fn();
  stream.on('error', failed);
  expect(stream.write('{"level":30,"time":1}\n'.repeat(1000))).toBe(true);
  logger.info('y');
  await once(stream.end(), 'close');
  const stats = stream.stats();
  assertBalanced(stats);
  expect(stats.dropped['buffer-full']).toBeGreaterThan(0);
  expect(stats.dropped.undeliverable).toBeGreaterThan(0);
  expect(drops.reduce((sum, drop) => sum + drop.records, 0)).toBe(1001);
  expect(failed).not.toHaveBeenCalled();
});

it('goes on delivering when callbacks throw or reject', async () => {
  const throwing = () => {
    throw new Error('from a callback');
  };
  const rejecting = () => Promise.reject(new Error('from a callback'));
  for (const callback of [throwing, rejecting]) {
    const { destination, stream, logger } = start({ onError: callback, onDrop: callback, maxBufferBytes: 1024 });
    destination.respond = unavailable;
    logger.info('in time');
    logger.info('x'.repeat(900));
    await stream.flush({ timeoutMs: 1 });
    destination.respond = () => {};
    await stream.flush();
    expect(stream.stats()).toMatchObject({ delivered: 1, dropped: { 'buffer-full': 1 } });
    await stream.close();
  }
});

it('logging each loss into the same logger, while the buffer is full, ends', async () => {
  const drops: Drop[] = [];
  const { destination, stream, logger } = start({
    ...quiet,
    maxBufferBytes: 1024,
    onDrop: (drop) => {
      // Without a limit, a loop would hang the test.
      if (drops.push(drop) < 20) logger.warn('a record is lost');
    },
  });
  destination.respond = never;
  logger.info('fills the buffer');
  logger.info('lost');
  expect(drops).toEqual([]);
  await stream.flush({ timeoutMs: 1 });
  expect(drops).toMatchObject([{ reason: 'buffer-full', records: 1 }]);
  expect(stream.stats()).toMatchObject({ received: 3, dropped: { 'buffer-full': 2 } });
  await stream.close({ timeoutMs: 0 });
});

it('counts lines written after the end, and calls back', async () => {
  const { stream, logger } = start(quiet);
  logger.info('in time');
  stream.end();
  logger.info('late');
  await once(stream, 'close');
  logger.info('very late');
  await new Promise<void>((resolve) => stream.write('later still\n', () => resolve()));
  expect(stream.stats()).toMatchObject({ received: 4, delivered: 1, dropped: { closed: 3 } });
});

it('emits "finish" and "close" after delivery', async () => {
  const { destination, stream, logger } = start();
  let deliver = (): void => {};
  destination.respond = () => new Promise((resolve) => (deliver = resolve));
  const events: string[] = [];
  for (const event of ['finish', 'close']) stream.on(event, () => events.push(event));
  logger.info('x');
  stream.end();
  await expect.poll(() => destination.records).toHaveLength(1);
  await new Promise(setImmediate);
  expect(events).toEqual([]);
  deliver();
  await once(stream, 'close');
  expect(events).toEqual(['finish', 'close']);
  expect(destination.texts).toHaveLength(1);
  expect(destination.closed).toBe(true);
});

it('delivers its records when it is destroyed', async () => {
  const { destination, stream, logger } = start();
  logger.info('x');
  await once(stream.destroy(), 'close');
  expect(destination.texts).toHaveLength(1);
});

it('can end a pipeline, which is done when all lines are delivered', async () => {
  const { destination, stream } = start();
  await pipeline(['a\n', 'b\nc'], stream);
  expect(destination.texts).toEqual(['a', 'b', 'c']);
});

it('gives up closing at the deadline, and counts the rest', async () => {
  const { destination, stream, logger } = start({ ...quiet, closeTimeoutMs: 50 });
  destination.respond = never;
  logger.info('x');
  const report = await stream.close();
  expect(report.dropped.undeliverable).toBe(1);
  expect(await stream.close({ timeoutMs: 1 })).toBe(report);
});

it('close() accepts another deadline', async () => {
  const { destination, stream, logger } = start({ ...quiet, closeTimeoutMs: 3_600_000 });
  destination.respond = never;
  logger.info('x');
  expect((await stream.close({ timeoutMs: 10 })).dropped.undeliverable).toBe(1);
});

it('flush() resolves after delivery, and leaves the stream open', async () => {
  const { destination, stream, logger } = start({ maxDelayMs: 3_600_000, retry: { maxAgeMs: 7_200_000 } });
  logger.info('a');
  expect((await stream.flush()).delivered).toBe(1);
  logger.info('b');
  await new Promise<void>((resolve) => logger.flush(() => resolve()));
  expect(destination.texts).toHaveLength(2);
  await stream.close();
});

it('logger.flush() calls back at closeTimeoutMs without an error, and drops nothing', async () => {
  const { destination, stream, logger } = start({ ...quiet, closeTimeoutMs: 50 });
  destination.respond = never;
  logger.info('x');
  const args = await new Promise<unknown[]>((resolve) => logger.flush((...received) => resolve(received)));
  expect(args).toEqual([]);
  expect(stream.stats().pending).toBe(1);
  await stream.close();
});

it('flush({ timeoutMs }) resolves with the number of pending records', async () => {
  const { destination, stream, logger } = start({ ...quiet, closeTimeoutMs: 0 });
  destination.respond = never;
  logger.info('x');
  expect((await stream.flush({ timeoutMs: 20 })).pending).toBe(1);
  await stream.close();
});

it('works beside other streams in pino.multistream', async () => {
  const destination = new MemoryDestination();
  const stream = destinationStream({ destination });
  const others: string[] = [];
  const multi = pino.multistream([
    { level: 'error', stream },
    { level: 'info', stream: { write: (line) => void others.push(line) } },
  ]);
  const logger = pino({}, multi);
  logger.info('a');
  logger.error('b');
  await stream.close();
  expect(others).toHaveLength(2);
  expect(destination.texts.map((line) => JSON.parse(line).msg)).toEqual(['b']);
});

it('delivers its records when multistream ends it', async () => {
  const destination = new MemoryDestination();
  const stream = destinationStream({ destination });
  const multi = pino.multistream([{ stream }]);
  pino({}, multi).info('a');
  multi.end();
  await once(stream, 'close');
  expect(destination.texts).toHaveLength(1);
});
