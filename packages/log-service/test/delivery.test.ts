import { assertBalanced, type DeliveryError, type DeliveryOptions, type Drop, type Shipper } from '@logferry/core';
import type { LogServiceEmulator } from '@logferry/emulators';
import { expect, it } from 'vitest';
import type { LogServiceOptions } from '../src/index.js';
import { record } from './support/records.js';
import { startShop } from './support/servers.js';
import { startShipper } from './support/shippers.js';
import { collectWarnings } from './support/warnings.js';

async function ship(
  options: Partial<LogServiceOptions> = {},
  delivery: DeliveryOptions = {},
): Promise<{
  readonly emulator: LogServiceEmulator;
  readonly shipper: Shipper;
  readonly errors: readonly DeliveryError[];
  readonly drops: readonly Drop[];
}> {
  const { emulator, destination } = await startShop(options);
  const errors: DeliveryError[] = [];
  const drops: Drop[] = [];
  const shipper = startShipper(destination, {
    retry: { baseMs: 1, throttledBaseMs: 1, capMs: 10 },
    onError: (error) => void errors.push(error),
    onDrop: (drop) => void drops.push(drop),
    ...delivery,
  });
  return { emulator, shipper, errors, drops };
}

function numbers(emulator: LogServiceEmulator): number[] {
  return emulator
    .events()
    .map(({ fields }) => Number(fields.number))
    .sort((a, b) => a - b);
}

const upTo = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

it('delivers a burst once, and time and sequence number give its order', async () => {
  const { emulator, shipper } = await ship();
  for (const number of upTo(20_000)) shipper.accept(record({ number }, { time: 1_700_000_000_000 + (number >> 6) }));
  const report = await shipper.close();
  assertBalanced(report);
  expect(report.delivered).toBe(20_000);
  const byOrder = emulator
    .events()
    .map(({ fields }) => [`${fields.time} ${fields.seq}`, Number(fields.number)] as const);
  const sorted = byOrder.sort(([a], [b]) => (a < b ? -1 : 1)).map(([, number]) => number);
  expect(sorted).toEqual(upTo(20_000));
  expect(emulator.stats()).toMatchObject({ violations: [], largestBatch: { events: 4096 } });
});

it('delivers all records to a service that fails in many ways', async () => {
  const { emulator, shipper } = await ship({}, { maxBatchEvents: 100 });
  emulator.faults({ serverError: 0.1, busy: 0.1, html: 0.1, reset: 0.1, uncompressError: 0.02 });
  collectWarnings();
  for (const number of upTo(5000)) shipper.accept(record({ number }));
  const report = await shipper.flush();
  assertBalanced(report);
  expect(report.delivered).toBe(5000);
  expect(numbers(emulator)).toEqual(upTo(5000));
  expect(emulator.stats().violations).toEqual([]);
});

it('delivers after a quota error, at half the concurrency', async () => {
  const { emulator, shipper } = await ship({}, { retry: { throttledBaseMs: 30_000 } });
  emulator.faults({ next: ['quota'] });
  shipper.accept(record({ number: 0 }));
  await expect.poll(() => shipper.stats().retries.THROTTLED).toBe(1);
  expect(shipper.stats()).toMatchObject({ pending: 1, retries: { THROTTLED: 1 }, concurrency: 2 });
  expect(await shipper.flush()).toMatchObject({ delivered: 1, pending: 0 });
  await shipper.close();
});

it('isolates a log that the service refuses, and delivers all others', async () => {
  const { emulator, shipper, drops } = await ship();
  emulator.faults({ poison: ({ number }) => number === '37' });
  for (const number of upTo(100)) shipper.accept(record({ number }));
  const report = await shipper.flush();
  assertBalanced(report);
  expect(report).toMatchObject({ delivered: 99, dropped: { invalid: 1 } });
  expect(drops.map(({ events }) => events.map(({ payload }) => JSON.parse(String(payload)).number))).toEqual([['37']]);
  expect(numbers(emulator)).toEqual(upTo(100).filter((number) => number !== 37));
});

it('sends the same batch uncompressed when the service cannot uncompress it, and compresses no more', async () => {
  const warnings = collectWarnings();
  const { emulator, shipper } = await ship({}, { concurrency: 1, maxBatchEvents: 10 });
  emulator.faults({ uncompressError: 1 });
  for (const number of upTo(30)) shipper.accept(record({ number }));
  await shipper.flush();
  expect(numbers(emulator)).toEqual(upTo(30));
  expect(emulator.stats().compression).toEqual({ lz4: 1, none: 3 });
  expect(Object.keys(shipper.stats().retries)).toEqual(['AGAIN']);
  expect(warnings).toHaveLength(1);
});

it('reports once that web tracking is off, keeps the records, and delivers them when it is on', async () => {
  const { emulator, shipper, errors } = await ship({}, { maxBatchEvents: 10 });
  emulator.webTracking('logs', false);
  for (const number of upTo(30)) shipper.accept(record({ number }));
  await expect.poll(() => shipper.stats().retries.AUTH).toBeGreaterThan(0);
  expect(errors.map(({ code }) => code)).toEqual(['AUTH']);
  expect(shipper.stats()).toMatchObject({ pending: 30, delivered: 0 });
  emulator.webTracking('logs', true);
  expect(await shipper.flush()).toMatchObject({ delivered: 30 });
});

it('drops and counts a record that is too large with oversize: drop', async () => {
  const { emulator, shipper } = await ship({ oversize: 'drop' });
  expect(shipper.accept(record({ text: 'x'.repeat(1_000_001) }))).toBe(false);
  expect(shipper.accept(record({ number: 0 }))).toBe(true);
  expect(await shipper.close()).toMatchObject({ received: 2, delivered: 1, dropped: { 'too-large': 1 } });
  expect(numbers(emulator)).toEqual([0]);
});

it('delivers a split record as one', async () => {
  const { emulator, shipper } = await ship({ oversize: 'split' });
  shipper.accept(record({ text: '中'.repeat(2_000_000) }));
  expect(await shipper.close()).toMatchObject({ received: 1, delivered: 1 });
  expect(emulator.events().length).toBeGreaterThan(6);
  expect(emulator.stats().violations).toEqual([]);
});
