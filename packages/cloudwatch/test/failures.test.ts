import { expect, it, vi } from 'vitest';
import { watchAttempts } from './support/attempts.js';
import { record } from './support/events.js';
import { start } from './support/shipper.js';

it.each([
  ['throttle', ['THROTTLED', 'THROTTLED', 'THROTTLED']],
  ['serverError', ['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE']],
  ['internalFailure', ['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE']],
  ['html', ['UNAVAILABLE', 'UNAVAILABLE', 'UNAVAILABLE']],
  // The first is no news: the connection was a used one.
  ['reset', ['NETWORK', 'NETWORK']],
] as const)('repeats a batch that met %s, one request for each attempt', async (fault, codes) => {
  const errors = watchAttempts();
  const { emulator, shipper, stored } = await start();
  shipper.accept(record('creates the stream'));
  await shipper.flush();
  emulator.faults({ next: [fault, fault, fault] });
  shipper.accept(record('persists'));
  await shipper.flush();
  expect(stored()).toEqual(['creates the stream', 'persists']);
  expect(errors.map((error) => error.code)).toEqual(codes);
  expect(emulator.stats().requests.PutLogEvents).toBe(2 + 4);
});

it('passes on the Retry-After of the service', async () => {
  const errors = watchAttempts();
  const { emulator, shipper } = await start();
  emulator.faults({ next: ['throttle'], retryAfterSeconds: 0 });
  shipper.accept(record('x'));
  await shipper.flush();
  expect(errors[0]).toMatchObject({ code: 'THROTTLED', retryAfterMs: 0 });
});

it('ends an attempt that hangs, and delivers with the next', async () => {
  const errors = watchAttempts();
  const { emulator, shipper, stored } = await start({ requestTimeoutMs: 300 });
  shipper.accept(record('creates the stream'));
  await shipper.flush();
  emulator.faults({ next: ['hang'] });
  shipper.accept(record('persists'));
  await shipper.flush();
  expect(stored()).toEqual(['creates the stream', 'persists']);
  expect(errors).toMatchObject([{ code: 'TIMEOUT', ambiguous: true }]);
  expect(errors[0]?.message).toMatch(/^PutLogEvents to "shop".*, at 127\.0\.0\.1:\d+: .*no response within 300 ms$/);
});

it('can duplicate a batch whose response was lost, and counts it as ambiguous', async () => {
  const { emulator, shipper, stored } = await start();
  shipper.accept(record('creates the stream'));
  await shipper.flush();
  emulator.faults({ next: ['lostAck'] });
  shipper.accept(record('twice'));
  await shipper.flush();
  expect(stored()).toEqual(['creates the stream', 'twice', 'twice']);
  // The other is the creation of the stream.
  expect(shipper.stats()).toMatchObject({ delivered: 2, ambiguous: 1, retries: { AGAIN: 2 } });
});

it('loses only the event that the service refuses', async () => {
  const { emulator, shipper, stored, drops } = await start();
  emulator.faults({ poison: (message) => message === 'bad' });
  const texts = Array.from({ length: 20 }, (_, index) => (index === 13 ? 'bad' : `good ${index}`));
  for (const text of texts) shipper.accept(record(text));
  await shipper.flush();
  expect(stored().sort()).toEqual(texts.filter((text) => text !== 'bad').sort());
  expect(drops).toMatchObject([{ reason: 'invalid', records: 1 }]);
});

it('reports a missing permission once, waits, and delivers when it is granted', async () => {
  const { emulator, shipper, stored, errors } = await start();
  emulator.faults({ accessDenied: 1 });
  shipper.accept(record('x'));
  await shipper.flush({ timeoutMs: 200 });
  await shipper.flush({ timeoutMs: 200 });
  expect(emulator.stats().requests.PutLogEvents).toBe(2);
  expect(errors).toHaveLength(1);
  expect(errors[0]).toMatchObject({ code: 'AUTH', message: expect.stringContaining('IAM') });
  emulator.faults();
  await shipper.flush();
  expect(stored()).toEqual(['x']);
});

it('sends as many concurrent requests as the core allows', async () => {
  const { emulator, shipper } = await start({ concurrency: 50, maxBatchBytes: 1024 });
  shipper.accept(record('creates the stream'));
  await shipper.flush();
  emulator.faults({ delayMs: 1000 });
  const now = Date.now();
  // Batches that share a millisecond would go one after another.
  for (let index = 0; index < 100; index++) shipper.accept(record('x'.repeat(900), { time: now - index }));
  await shipper.flush();
  expect(emulator.stats().concurrent.overall).toBe(50);
});

it('closes at the deadline while a request hangs, and counts the loss', async () => {
  const { emulator, shipper } = await start();
  emulator.faults({ hang: 1 });
  shipper.accept(record('x'));
  const start_ = performance.now();
  const report = await shipper.close({ timeoutMs: 200 });
  expect(performance.now() - start_).toBeLessThan(4000);
  expect(report.dropped.undeliverable).toBe(1);
});

it('writes nothing on the console while everything fails', async () => {
  const spies = (['log', 'info', 'warn', 'error', 'debug'] as const).map((method) => vi.spyOn(console, method));
  const { emulator, shipper } = await start({ requestTimeoutMs: 100 });
  emulator.faults({ next: ['throttle', 'serverError', 'html', 'reset', 'hang', 'accessDenied'] });
  shipper.accept(record('x'));
  await shipper.flush({ timeoutMs: 1000 });
  for (const spy of spies) expect(spy).not.toHaveBeenCalled();
  vi.restoreAllMocks();
});

it('survives any mixture of faults without losing a record', async () => {
  const { emulator, shipper, stored } = await start({ maxBatchBytes: 4096 });
  emulator.faults({ throttle: 0.1, serverError: 0.1, html: 0.1, reset: 0.1, lostAck: 0.1 });
  const texts = Array.from({ length: 500 }, (_, index) => `${index} ${'x'.repeat(index)}`);
  for (const text of texts) shipper.accept(record(text));
  await shipper.flush();
  expect(new Set(stored())).toEqual(new Set(texts));
  expect(shipper.stats().delivered).toBe(500);
});
