import { expect, it } from 'vitest';
import {
  assertBalanced,
  type DeliveryReport,
  type Encoding,
  type FieldsRecord,
  type TextRecord,
} from '../src/index.js';
import { record, TogetherDestination } from './support/recording-destination.js';
import { start } from './support/start.js';

it('encodes the records of a turn together at its end, as they were when logged', async () => {
  const destination = new TogetherDestination();
  const { shipper, clock } = start({}, { destination });
  const changing = { ...record('a') };
  expect(shipper.accept(changing)).toBe(true);
  changing.text = 'changed';
  expect(shipper.accept(record('b'))).toBe(true);
  expect(destination.together).toEqual([]);
  await clock.settle();
  expect(destination.together).toEqual([['a', 'b']]);
  await shipper.flush();
  expect(destination.texts).toEqual(['a', 'b']);
});

it('reads a record at once for a destination that reads fields, since fields may change', () => {
  const encode = ({ level, time, fields }: FieldsRecord): Encoding => ({
    route: level,
    time,
    payload: JSON.stringify(fields),
    bytes: 10,
  });
  const destination = Object.assign(new TogetherDestination(), { reads: 'fields' as never, encode });
  const { shipper } = start({}, { destination });
  let reads = 0;
  shipper.accept(Object.defineProperty({ ...record('') }, 'fields', { get: () => ({ reads: ++reads }) }));
  expect(reads).toBe(1);
  expect(destination.together).toEqual([]);
});

it.each(['stats', 'flush', 'close'] as const)(
  'counts records that are not encoded yet in the result of %s',
  async (method) => {
    const { shipper } = start({}, { destination: new TogetherDestination() });
    shipper.accept(record('a'));
    const result = shipper[method]();
    expect(await result).toMatchObject({ received: 1, [method === 'stats' ? 'pending' : 'delivered']: 1 });
  },
);

it('counts an accepted record that encodeAll refuses', async () => {
  const destination = new TogetherDestination();
  destination.encodeAll = (records) =>
    records.map((each) => (each.text === 'b' ? { refused: 'invalid' } : destination.encode(each)));
  const { shipper, drops } = start({}, { destination });
  for (const text of ['a', 'b', 'c']) expect(shipper.accept(record(text, { time: 42 }))).toBe(true);
  expect(await shipper.flush()).toMatchObject({ delivered: 2, dropped: { invalid: 1 } });
  expect(drops).toMatchObject([{ reason: 'invalid', records: 1, from: 42 }]);
  assertBalanced(shipper.stats());
});

it.each<[string, (records: readonly TextRecord[]) => unknown]>([
  [
    'throws',
    () => {
      throw new Error('for the test');
    },
  ],
  ['returns nothing', () => undefined],
  ['returns too few encodings', () => []],
])('encodes records one by one when encoding them together %s', async (_, encodeAll) => {
  const destination = new TogetherDestination();
  destination.encodeAll = encodeAll as TogetherDestination['encodeAll'];
  const encode = destination.encode.bind(destination);
  destination.encode = (each) => {
    if (each.text === 'b') throw new Error('for the test');
    return encode(each);
  };
  const { shipper } = start({}, { destination });
  for (const text of ['a', 'b', 'c']) shipper.accept(record(text));
  expect(await shipper.flush()).toMatchObject({ received: 3, delivered: 2, dropped: { unencodable: 1 } });
  expect(destination.texts).toEqual(['a', 'c']);
});

it('bounds the records that wait to be encoded, also when one turn logs many', () => {
  const destination = new TogetherDestination();
  const { shipper } = start({}, { destination });
  for (let i = 0; i < 10_000; i++) shipper.accept(record('x'.repeat(460)));
  // Each takes 500 bytes of the budget, and at most half a MiB waits.
  const encodedInTheTurn = destination.together.flat().length;
  expect(10_000 - encodedInTheTurn).toBeLessThan(1049);
  expect(shipper.stats()).toMatchObject({ received: 10_000, pending: 10_000 });
});

it('keeps the order of acceptance when a long text, which is encoded at once, comes between short ones', async () => {
  const destination = new TogetherDestination();
  const { shipper } = start({ maxDelayMs: 0 }, { destination });
  const texts = ['a', 'b'.repeat(100_000), 'c'];
  for (const text of texts) shipper.accept(record(text));
  await shipper.flush();
  expect(destination.texts).toEqual(texts);
});

it('refuses records on the spot when the buffer is full', () => {
  // Room for 8 records of a KiB, 40 bytes of it for each event, and 1,536 for their batch.
  const { shipper } = start({ maxBufferBytes: 9728 / 0.8 }, { destination: new TogetherDestination() });
  const results = Array.from({ length: 10 }, () => shipper.accept(record('x'.repeat(984))));
  expect(results).toEqual([...Array(8).fill(true), false, false]);
  expect(shipper.stats()).toMatchObject({ pending: 8, bufferBytes: 9728, dropped: { 'buffer-full': 2 } });
});

it('a flush in onDrop delivers also the records that were logged after the lost one', async () => {
  const destination = new TogetherDestination();
  destination.encodeAll = (records) =>
    records.map((each) => (each.text === 'lost' ? { refused: 'invalid' } : destination.encode(each)));
  const reports: Promise<DeliveryReport>[] = [];
  const { shipper, clock } = start({ onDrop: () => void reports.push(shipper.flush()) }, { destination });
  for (const text of ['a', 'lost', 'b', 'c']) shipper.accept(record(text));
  await clock.settle();
  expect(await reports[0]).toMatchObject({ received: 4, delivered: 3, pending: 0 });
  expect(destination.texts).toEqual(['a', 'b', 'c']);
});

/** Refuses texts that begin with "bad", at the end of the turn. */
function picky(): TogetherDestination {
  const destination = new TogetherDestination();
  const encode = destination.encode.bind(destination);
  destination.encode = (each) => (each.text.startsWith('bad') ? { refused: 'invalid' } : encode(each));
  return destination;
}

it('ends, and reports a loss once, also when onDrop logs a record that is refused again', async () => {
  let reported = 0;
  const logAgain = (): void => {
    reported++;
    shipper.accept(record('bad again'));
  };
  const { shipper, clock } = start({ onDrop: logAgain }, { destination: picky() });
  shipper.accept(record('bad'));
  expect(await shipper.flush()).toMatchObject({ received: 2, dropped: { invalid: 2 } });
  await shipper.close();
  shipper.accept(record('late'));
  await clock.settle();
  expect(shipper.stats()).toMatchObject({ received: 4, dropped: { invalid: 2, closed: 2 } });
  expect(reported).toBe(2);
});

it('reports every loss of a turn once, also when onDrop calls stats', async () => {
  const reported: number[] = [];
  const { shipper, clock } = start(
    {
      onDrop: ({ records }) => {
        reported.push(records);
        assertBalanced(shipper.stats());
      },
    },
    { destination: picky() },
  );
  for (let i = 0; i < 10; i++) shipper.accept(record('bad'));
  expect(shipper.stats()).toMatchObject({ received: 10, dropped: { invalid: 10 } });
  expect(reported).toEqual([]);
  await clock.settle();
  expect(reported).toEqual([10]);
});

it('states in the logs also the losses during close', async () => {
  const destination = picky();
  const { shipper } = start({ dropNotice: true }, { destination });
  shipper.accept(record('a'));
  await shipper.flush();
  for (const text of ['bad', 'b']) shipper.accept(record(text));
  await shipper.close();
  expect(destination.texts).toEqual(['a', 'b', expect.stringContaining('1 record dropped')]);
});

it('the report of a flush includes records accepted during the flush', async () => {
  const { shipper, clock } = start({}, { destination: new TogetherDestination() });
  const flushed = shipper.flush();
  shipper.accept(record('a'));
  expect(await flushed).toMatchObject({ received: 1, pending: 1 });
  await clock.settle();
});

it.each([42, undefined, { length: -1e9 }])('bounds the records that wait also when the text of one is %s', (text) => {
  const { shipper } = start({ maxBufferBytes: 64 * 1024 }, { destination: new TogetherDestination() });
  shipper.accept({ ...record(''), text: text as never });
  const results = Array.from({ length: 1000 }, () => shipper.accept(record('x'.repeat(768))));
  expect(results.filter(Boolean).length).toBeLessThan(64);
  assertBalanced(shipper.stats());
});
