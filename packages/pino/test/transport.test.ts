import { once } from 'node:events';
import { assertBalanced } from '@logferry/core';
import { MemoryDestination } from '@logferry/core/testing';
import pino from 'pino';
import oldestPino from 'pino-9.14.0';
import { describe, expect, it, vi } from 'vitest';
import { full } from '../../../forms.js';
import { close, destinationStream, flush, stats } from '../src/index.js';
import { fixture, linesOf, newFile, runApp } from './support/fixtures.js';
import { end, startTransport } from './support/transport.js';

const oldest = oldestPino as unknown as typeof pino;
const target = fixture('file-target.mjs');
const stage = { target: fixture('upper-case-stage.mjs') };
const other = { target: fixture('silent-target.mjs') };
const hour = { maxDelayMs: 3_600_000, retry: { maxAgeMs: 7_200_000 } };

/** The ways to a target, and how many Logferry targets get each record. */
const ways: [string, number, (options: object) => Parameters<typeof pino.transport>[0]][] = [
  ['a target', 1, (options) => ({ target, options })],
  ['a pipeline', 1, (options) => ({ pipeline: [stage, { target, options }] })],
  [
    'several targets',
    3,
    (options) => ({
      targets: [
        { target, options },
        { target, options, level: 'info' },
        { pipeline: [stage, { target, options }] },
        other,
      ],
    }),
  ],
];

const pinos: [string, typeof pino][] = [
  ['the oldest pino', oldest],
  ['the newest pino', pino],
];

/** In the short form the newest pino goes one of the ways. */
const cases = (full ? pinos : pinos.slice(1)).flatMap(([version, make]) =>
  ways.slice(full ? 0 : 2).map(([way, ...rest]) => [version, way, make, ...rest] as const),
);
const rounds = full ? 3 : 1;

describe.each(cases)('with %s and %s', (_version, _way, make, copies, transportOf) => {
  it('flush() delivers 10,000 records that were logged in the same turn, again and again', async () => {
    const file = newFile();
    const transport = startTransport(transportOf({ file, ...hour }), make);
    const logger = make(transport);
    for (let round = 1; round <= rounds; round++) {
      for (let i = 0; i < 10_000; i++) logger.info({ i }, 'order paid');
      const report = await flush(transport);
      assertBalanced(report);
      const records = round * 10_000 * copies;
      expect(report).toMatchObject({ received: records, delivered: records, pending: 0 });
      expect(linesOf(file)).toHaveLength(records);
    }
  });

  it('close() delivers, returns the report, and ends the worker', async () => {
    const file = newFile();
    const transport = startTransport(transportOf({ file, ...hour }), make);
    const logger = make(transport);
    for (let i = 0; i < 1000; i++) logger.info({ i }, 'order paid');
    const closing = close(transport);
    expect(close(transport)).toEqual(closing);
    const report = await closing;
    assertBalanced(report);
    expect(report).toMatchObject({ received: 1000 * copies, delivered: 1000 * copies, pending: 0 });
    expect(linesOf(file)).toHaveLength(1000 * copies);
    expect(transport).toMatchObject({ destroyed: true, closed: true, writableErrored: null });
    expect(await close(transport)).toEqual(report);
    expect(await flush(transport)).toEqual(report);
  });
});

it('flush() delivers more than the memory that pino shares with its worker holds', async () => {
  const file = newFile();
  const transport = startTransport({ target, options: { file, ...hour } });
  const logger = pino(transport);
  const text = 'x'.repeat(100_000);
  for (let i = 0; i < 60; i++) logger.info({ i }, text);
  expect(transport).toMatchObject({ writableNeedDrain: true });
  expect(await flush(transport)).toMatchObject({ received: 60, delivered: 60, pending: 0 });
});

it('flush() delivers what stages of a pipeline pass on in later turns', async () => {
  const file = newFile();
  const pipeline = [{ target: fixture('later-stage.mjs') }, { target, options: { file, ...hour } }];
  const transport = startTransport({ pipeline });
  const logger = pino(transport);
  for (let i = 0; i < 1000; i++) logger.info({ i }, 'order paid');
  expect(await flush(transport)).toMatchObject({ received: 1000, delivered: 1000, pending: 0 });
});

it('flush() returns at timeoutMs, drops nothing, and leaves the transport usable', async () => {
  const options = { file: newFile(), response: 'hang', closeTimeoutMs: 0, ...hour };
  const transport = startTransport({ target, options });
  const logger = pino(transport);
  logger.info('x');
  await once(transport, 'ready');
  const startedMs = performance.now();
  expect(await flush(transport, { timeoutMs: 100 })).toMatchObject({ received: 1, pending: 1 });
  expect(performance.now() - startedMs).toBeLessThan(5000);
  logger.info('y');
  expect(await flush(transport, { timeoutMs: 0 })).toMatchObject({ received: 2, pending: 2 });
});

it('flush() and close() resolve while the application goes on to log', async () => {
  const transport = startTransport({ pipeline: [stage, { target, options: { file: newFile(), ...hour } }] });
  const logger = pino(transport);
  await once(transport, 'ready');
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  const timer = setInterval(() => logger.info('x'), 1);
  logger.info('first');
  expect((await flush(transport, { timeoutMs: 10_000 })).delivered).toBeGreaterThan(0);
  expect((await close(transport)).delivered).toBeGreaterThan(0);
  await vi.waitUntil(() => warned.mock.calls.length > 0);
  clearInterval(timer);
  warned.mockRestore();
});

it('several calls of flush() at once, also of several transports, all get their reports', async () => {
  const transports = [1, 2].map(() => startTransport({ target, options: { file: newFile(), ...hour } }));
  for (const transport of transports) pino(transport).info('x');
  const reports = await Promise.all([...transports, ...transports].map((transport) => flush(transport)));
  expect(reports.map(({ delivered }) => delivered)).toEqual([1, 1, 1, 1]);
});

it('close() counts what is left at timeoutMs', async () => {
  const transport = startTransport({ target, options: { file: newFile(), response: 'hang', ...hour } });
  pino(transport).info('x');
  await once(transport, 'ready');
  const report = await close(transport, { timeoutMs: 100 });
  assertBalanced(report);
  expect(report).toMatchObject({ received: 1, dropped: { undeliverable: 1 }, pending: 0 });
});

it('a record that is logged after close() raises no error, and is told once', async () => {
  const transport = startTransport({ target, options: { file: newFile() } });
  const logger = pino(transport);
  logger.info('x');
  await close(transport);
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  logger.info('late');
  logger.info('later');
  await vi.waitUntil(() => warned.mock.calls.length > 0);
  logger.info('latest');
  await once(process, 'nothing', { signal: AbortSignal.timeout(50) }).catch(() => {});
  expect(warned.mock.calls).toEqual([
    ['a record that is logged after close(transport) is lost', { type: 'LogferryWarning' }],
  ]);
  warned.mockRestore();
});

it.each([
  ['await close(transport)', full ? ways : ways.slice(2)],
  ['await flush(transport), then SIGKILL', full ? ways : ways.slice(0, 1)],
] as const)(
  'a top-level %s holds the process until all is delivered, and returns the report',
  async (ending, chosen) => {
    for (const [, copies, transportOf] of chosen) {
      const file = newFile();
      const transport = transportOf({ file, startMs: 100, ...hour });
      const { exitCode, stdout, stderr } = await runApp({ transport, ending });
      expect(exitCode).toBe(ending.endsWith('SIGKILL') ? null : 0);
      expect(JSON.parse(stdout)).toMatchObject({ received: 1000 * copies, delivered: 1000 * copies, pending: 0 });
      expect(linesOf(file)).toHaveLength(1000 * copies);
      expect(stderr).not.toContain('Error');
    }
  },
);

it('flush() and close() take a stream in process', async () => {
  const destination = new MemoryDestination();
  const stream = destinationStream({ destination, ...hour });
  const logger = pino(stream);
  logger.info('a');
  expect(await flush(stream)).toMatchObject({ delivered: 1, pending: 0 });
  logger.info('b');
  expect(await close(stream)).toMatchObject({ delivered: 2, pending: 0 });
  expect(await stats(stream)).toMatchObject({ delivered: 2 });
});

describe.each([
  ['flush', flush],
  ['close', close],
])('%s()', (name, call) => {
  it.runIf(full || name === 'close')('rejects when the worker has ended', async () => {
    const transport = startTransport({ target, options: { file: newFile() } });
    await once(transport, 'ready');
    await end(transport);
    await expect(call(transport)).rejects.toThrow(`[logferry] ${name}: the worker has ended`);
  });

  it.runIf(full || name === 'close')('rejects with the cause when the worker cannot start', async () => {
    const transport = pino.transport({ target, options: { file: newFile(), concurency: 1 } });
    const failed = once(transport, 'error');
    const cause = expect.objectContaining({ message: expect.stringContaining('did you mean "concurrency"?') });
    await expect(call(transport)).rejects.toMatchObject({
      message: `[logferry] ${name}: the worker has ended`,
      cause,
    });
    await failed;
  });

  it.runIf(full || name === 'flush')('rejects when the worker dies meanwhile', async () => {
    const transport = startTransport({ target, options: { file: newFile(), response: 'hang', ...hour } });
    pino(transport).info('x');
    await once(transport, 'ready');
    const failed = once(transport, 'error');
    const called = call(transport, { timeoutMs: 60_000 });
    const rejected = expect(called).rejects.toThrow(`[logferry] ${name}: the worker has ended`);
    await (transport as unknown as { worker: { terminate(): Promise<number> } }).worker.terminate();
    await Promise.all([rejected, failed]);
  });

  it.runIf(full || name === 'flush')(
    'rejects when the worker has not started at timeoutMs, and changes nothing',
    async () => {
      const file = newFile();
      const transport = startTransport({ target, options: { file, startMs: 300 } });
      pino(transport).info('x');
      await expect(call(transport, { timeoutMs: 10 })).rejects.toThrow(
        `[logferry] ${name}: the worker has not started in 10 ms`,
      );
      expect(await close(transport)).toMatchObject({ delivered: 1 });
    },
  );

  it('refuses an object that is not a transport', async () => {
    await expect(call(process)).rejects.toMatchObject({
      name: 'ConfigError',
      message:
        '[logferry] transport: expected what pino.transport() returned, or a stream of @logferry/pino, got an object',
    });
  });
});
