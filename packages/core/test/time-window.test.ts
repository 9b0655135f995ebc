import { expect, it } from 'vitest';
import { assertBalanced, type BatchLimits, createShipper, type DeliveryOptions, sumStats } from '../src/index.js';
import { VirtualClock } from '../src/testing/virtual-clock.js';
import { encodeText, RecordingDestination, record, TogetherDestination } from './support/recording-destination.js';

const WINDOW: Partial<BatchLimits> = { maxPastMs: 1000, maxFutureMs: 100, maxSpanMs: Number.POSITIVE_INFINITY };

function start(destination: RecordingDestination, options: DeliveryOptions = {}) {
  const clock = new VirtualClock();
  const shipper = createShipper(destination, { dropNotice: false, ...options }, { clock });
  return { shipper, clock, destination };
}

const kinds: readonly [string, (limits: Partial<BatchLimits>) => RecordingDestination][] = [
  ['encodes each record alone', (limits) => new RecordingDestination(limits)],
  ['encodes the records of a turn together', (limits) => new TogetherDestination(limits)],
];

it.each(kinds)('gives a record that the service is sure to refuse the time now (%s)', async (_, make) => {
  const { shipper, clock, destination } = start(make(WINDOW));
  const now = clock.now();
  const offsetsMs = [-1001, -1000, 0, 100, 101, Number.NaN, Number.NEGATIVE_INFINITY];
  for (const offset of offsetsMs) shipper.accept(record(String(offset), { time: now + offset }));
  await shipper.flush();
  expect(Object.fromEntries(destination.stored.map(({ payload, time }) => [payload, time - now]))).toEqual({
    '-1001': 0,
    '-1000': -1000,
    '0': 0,
    '100': 100,
    '101': 0,
    NaN: 0,
    '-Infinity': 0,
  });
  expect(shipper.stats()).toMatchObject({ received: 7, delivered: 7, rejected: 0, redated: 4 });
  assertBalanced(shipper.stats());
});

it.each(kinds)('moves the window with the time (%s)', async (_, make) => {
  const { shipper, clock, destination } = start(make(WINDOW));
  const now = clock.now();
  shipper.accept(record('first', { time: now - 1000 }));
  await shipper.flush();
  await clock.advance(500);
  for (const offset of [-501, -500, 600, 601]) shipper.accept(record(String(offset), { time: now + offset }));
  await shipper.flush();
  expect(shipper.stats()).toMatchObject({ delivered: 5, redated: 2 });
  expect(destination.stored.filter(({ time }) => time === now + 500).map(({ payload }) => payload)).toEqual([
    '-501',
    '601',
  ]);
});

it('counts a record once, also when encoding it together with others fails', async () => {
  const destination = new TogetherDestination(WINDOW);
  destination.encodeAll = () => [];
  const { shipper } = start(destination);
  shipper.accept(record('old', { time: 0 }));
  shipper.accept(record('x'.repeat(100_000), { time: 0 }));
  await shipper.flush();
  expect(shipper.stats()).toMatchObject({ delivered: 2, redated: 2 });
  expect(sumStats([shipper.stats(), shipper.stats()])).toMatchObject({ redated: 4 });
});

it('encodes a record with the time that it is stored with, and drops it with this time', () => {
  const destination = new RecordingDestination(WINDOW);
  const drops: number[] = [];
  destination.encode = (given) => encodeText(given, `${given.time} ${'x'.repeat(2_000_000)}`);
  const { shipper, clock } = start(destination, { onDrop: ({ from, to }) => void drops.push(from, to) });
  expect(shipper.accept(record('', { time: 5 }))).toBe(false);
  return clock.settle().then(() => {
    expect(drops).toEqual([clock.now(), clock.now()]);
    expect(shipper.stats()).toMatchObject({ redated: 1, dropped: { 'too-large': 1 } });
  });
});

it('leaves any time as it is for a service without a window', async () => {
  const { shipper, destination } = start(new RecordingDestination());
  shipper.accept(record('old', { time: 0 }));
  await shipper.flush();
  expect(destination.stored).toMatchObject([{ time: 0 }]);
  expect(shipper.stats().redated).toBe(0);
});

it.each(['maxPastMs', 'maxFutureMs'])('refuses a destination whose limits.%s is no number of milliseconds', (name) => {
  const make = (): unknown => createShipper(new RecordingDestination({ [name]: '1 day' }));
  expect(make).toThrow(`[logferry] destination.limits.${name}: expected a number of at least 1, got "1 day"`);
});
