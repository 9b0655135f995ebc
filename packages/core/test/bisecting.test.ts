import fc from 'fast-check';
import { expect, it } from 'vitest';
import { assertBalanced, DeliveryError } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { type Started, start } from './support/start.js';

/** A service that refuses every request with one of these records. */
function refusing(bad: (text: string) => boolean): RecordingDestination {
  const destination = new RecordingDestination();
  destination.respond = (batch) => {
    if (batch.events.some((event) => bad(String(event.payload)))) throw new DeliveryError('INVALID', 'bad characters');
    return accepted;
  };
  return destination;
}

function startWith(records: number, destination: RecordingDestination, options = {}): Started {
  const started = start(options, { destination });
  for (let i = 0; i < records; i++) started.shipper.accept(record(String(i)));
  return started;
}

/** Most requests that the search for one bad record among `records` takes. */
const budget = (records: number): number => 2 * Math.ceil(Math.log2(records)) + 4;

it('one bad record among 10,000 costs at most 32 requests and exactly itself, at any index', async () => {
  for (const index of [0, 1, 4999, 5000, 7777, 9999]) {
    const destination = refusing((text) => text === String(index));
    const { shipper, drops } = startWith(10_000, destination);
    await shipper.flush();
    expect(destination.attempts.length).toBeLessThanOrEqual(32);
    expect(drops).toMatchObject([{ reason: 'invalid', records: 1, events: [{ payload: String(index) }] }]);
    expect(shipper.stats()).toMatchObject({ delivered: 9999, pending: 0 });
    assertBalanced(shipper.stats());
  }
});

it('several bad records cost themselves, and no more requests than the search for each alone', async () => {
  const seen = { several: 0, neighbours: 0 };
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 64, max: 600 }),
      fc.array(fc.record({ index: fc.nat(), neighbours: fc.nat({ max: 1 }) }), { minLength: 1, maxLength: 3 }),
      fc.boolean(),
      async (records, groups, ordered) => {
        const indexes = groups.flatMap(({ index, neighbours }) => [index, index + neighbours]);
        const bad = new Set(indexes.map((index) => index % records));
        const destination = refusing((text) => bad.has(Number(text)));
        const { shipper, drops } = startWith(records, destination, { ordered });
        await shipper.flush();
        const lost = drops.flatMap((drop) => drop.events.map((event) => Number(event.payload)));
        expect(lost.sort((a, b) => a - b)).toEqual([...bad].sort((a, b) => a - b));
        expect(shipper.stats()).toMatchObject({ delivered: records - bad.size, pending: 0 });
        expect(destination.attempts.length).toBeLessThanOrEqual(bad.size * budget(records));
        assertBalanced(shipper.stats());
        if (bad.size > 1) seen.several++;
        if ([...bad].some((index) => bad.has(index + 1))) seen.neighbours++;
      },
    ),
    { numRuns: 100 },
  );
  expect(seen.several).toBeGreaterThan(50);
  expect(seen.neighbours).toBeGreaterThan(50);
});

it.each([false, true])(
  'no record is lost when all are refused alike: a setting is to blame (ordered: %s)',
  async (ordered) => {
    const destination = refusing(() => true);
    const { shipper, clock, drops, errors } = startWith(10_000, destination, { ordered });
    await clock.advance(20_000);
    // Requests in flight together are refused together.
    const concurrency = 4;
    expect(destination.attempts.length).toBeLessThan(budget(10_000) + concurrency);
    expect(drops).toEqual([]);
    expect(errors.at(-1)).toMatchObject({ code: 'MISCONFIGURED', message: expect.stringContaining('bad characters') });
    expect(shipper.stats()).toMatchObject({ pending: 10_000, delivered: 0 });
    destination.respond = () => accepted;
    await clock.advance(600_000);
    expect(shipper.stats()).toMatchObject({ pending: 0, delivered: 10_000 });
    assertBalanced(shipper.stats());
  },
);

it('continues the search after the setting is corrected, and loses the bad record only', async () => {
  const destination = refusing(() => true);
  const { shipper, clock, drops } = startWith(1000, destination);
  await clock.advance(20_000);
  destination.respond = refusing((text) => text === '123').respond;
  await clock.advance(800_000);
  expect(drops).toMatchObject([{ reason: 'invalid', records: 1, events: [{ payload: '123' }] }]);
  expect(shipper.stats()).toMatchObject({ pending: 0, delivered: 999 });
});

it('drops records as expired that are refused alike until retry.maxAgeMs', async () => {
  const { shipper, clock } = startWith(
    1000,
    refusing(() => true),
    { retry: { maxAgeMs: 300_000 } },
  );
  await clock.advance(400_000);
  expect(shipper.stats()).toMatchObject({ pending: 0, dropped: { expired: 1000 } });
  assertBalanced(shipper.stats());
});

it('keeps a few records that are all refused: there is nothing to compare them with', async () => {
  for (const code of ['INVALID', 'TOO_LARGE'] as const)
    for (const records of [1, 2, 3, 4]) {
      const destination = new RecordingDestination();
      destination.respond = () => {
        throw new DeliveryError(code, 'no');
      };
      const { shipper, clock, drops, errors } = startWith(records, destination);
      await clock.advance(100_000);
      expect(drops).toEqual([]);
      expect(errors.map((error) => error.code)).toContain('MISCONFIGURED');
      destination.respond = () => accepted;
      await clock.advance(100_000);
      expect(shipper.stats()).toMatchObject({ pending: 0, delivered: records });
    }
});

it('a part that is too large is halved within the search', async () => {
  const destination = new RecordingDestination();
  destination.respond = (batch) => {
    if (batch.events.length > 8) throw new DeliveryError('TOO_LARGE', 'for the test');
    if (batch.events.some((event) => event.payload === '77')) throw new DeliveryError('INVALID', 'for the test');
    return accepted;
  };
  const { shipper, drops } = startWith(100, destination);
  await shipper.flush();
  expect(drops).toMatchObject([{ reason: 'invalid', records: 1 }]);
  expect(shipper.stats()).toMatchObject({ delivered: 99, pending: 0 });
});

it.each(['INVALID', 'TOO_LARGE'] as const)(
  'one record a batch, and a service that refuses all with %s: nothing is lost, and requests are few',
  async (code) => {
    for (const routes of [1, 500]) {
      const destination = new RecordingDestination();
      destination.respond = () => {
        throw new DeliveryError(code, 'a setting');
      };
      const { shipper, clock, drops, errors } = start({ maxBatchEvents: 1, maxDelayMs: 0 }, { destination });
      for (let i = 0; i < 2000; i++) shipper.accept(record(String(i), { level: `route ${i % routes}` }));
      await clock.advance(600_000);
      expect(drops).toEqual([]);
      expect(destination.attempts.length).toBeLessThan(60);
      expect(errors.at(-1)).toMatchObject({ code: 'MISCONFIGURED' });
      destination.respond = () => accepted;
      await clock.advance(200_000);
      expect(shipper.stats()).toMatchObject({ delivered: 2000, pending: 0 });
      assertBalanced(shipper.stats());
    }
  },
);

it('a route that refuses everything loses nothing and pauses alone, although others work', async () => {
  const destination = new RecordingDestination();
  destination.respond = ({ route }) => {
    if (route === 'bad') throw new DeliveryError('INVALID', 'the name of the stream');
    return accepted;
  };
  const { shipper, clock, drops } = start({ maxBatchEvents: 100, maxDelayMs: 0 }, { destination });
  for (let second = 0; second < 300; second++) {
    for (let i = 0; i < 100; i++) shipper.accept(record('x', { level: 'bad' }));
    shipper.accept(record('y', { level: 'fine' }));
    await clock.advance(1000);
  }
  expect(drops).toEqual([]);
  expect(shipper.stats().delivered).toBe(300);
  expect(destination.attempts.filter(({ route }) => route === 'bad').length).toBeLessThan(60);
});

it('drops a bad record that was alone as soon as the destination took another one and refuses it again', async () => {
  const destination = refusing((text) => text === 'bad');
  const { shipper, clock, drops, errors } = start({ maxDelayMs: 0 }, { destination });
  shipper.accept(record('bad'));
  await clock.advance(1000);
  expect(errors).toMatchObject([{ code: 'MISCONFIGURED' }]);
  expect(drops).toEqual([]);
  shipper.accept(record('good', { level: 'other' }));
  await clock.advance(1000);
  expect(drops).toMatchObject([{ reason: 'invalid', records: 1 }]);
  expect(shipper.stats()).toMatchObject({ delivered: 1, pending: 0 });
});

it('a record that is too large is dropped only after the destination took a smaller one', async () => {
  const destination = new RecordingDestination();
  destination.respond = ({ bytes }) => {
    if (bytes > 10 && bytes < 1000) throw new DeliveryError('TOO_LARGE', 'for the test');
    return accepted;
  };
  const { shipper, clock, drops } = start({ maxBatchEvents: 1, maxDelayMs: 0 }, { destination });
  shipper.accept(record('x'.repeat(500)));
  await clock.advance(1000);
  shipper.accept(record('y'.repeat(2000)));
  await clock.advance(100_000);
  expect(drops).toEqual([]);
  shipper.accept(record(''));
  await clock.advance(100_000);
  expect(drops).toMatchObject([{ reason: 'too-large', records: 1, events: [{ bytes: 510 }] }]);
});

it.each([
  ['one record a batch', { maxBatchEvents: 1, maxDelayMs: 0 }, 4, 50],
  ['default options', {}, 20, 1000],
] as const)(
  'a run of bad records does not hold back the good ones for long, and loses none: %s',
  async (_, options, bad, good) => {
    const destination = refusing((text) => text.startsWith('bad'));
    const { shipper, clock } = start(options, { destination });
    shipper.accept(record('first'));
    await clock.advance(1000);
    for (let i = 0; i < good / 2; i++) shipper.accept(record('good'));
    for (let i = 0; i < bad; i++) shipper.accept(record(`bad ${i}`));
    for (let i = 0; i < good / 2; i++) shipper.accept(record('good'));
    await clock.advance(200_000);
    expect(shipper.stats()).toMatchObject({ delivered: good + 1, pending: 0, dropped: { invalid: bad, expired: 0 } });
    expect(destination.attempts.length).toBeLessThan(400);
  },
);

it.each([4, 30])('close loses no good record beside a run of %i bad ones', async (bad) => {
  for (const maxBatchEvents of [1, 10_000]) {
    const { shipper, clock } = start({ maxBatchEvents }, { destination: refusing((text) => text === 'bad') });
    for (let i = 0; i < 500; i++) shipper.accept(record(i >= 100 && i < 100 + bad ? 'bad' : 'good'));
    const closed = shipper.close();
    await clock.advance(5000);
    const { delivered, dropped } = await closed;
    expect([delivered, dropped.invalid + dropped.undeliverable]).toEqual([500 - bad, bad]);
  }
});

it('a record that is too large is dropped once smaller ones are taken, also in a larger batch', async () => {
  const destination = new RecordingDestination();
  destination.respond = ({ events }) => {
    if (events.some(({ bytes }) => bytes > 800)) throw new DeliveryError('TOO_LARGE', 'one event');
    return accepted;
  };
  const { shipper, clock } = start({}, { destination });
  shipper.accept(record('x'.repeat(900)));
  await clock.advance(1500);
  for (let i = 0; i < 20; i++) shipper.accept(record('y'.repeat(90)));
  expect(await shipper.flush()).toMatchObject({ delivered: 20, dropped: { 'too-large': 1 } });
});

it('a route that is refused is remembered between its records, although others work', async () => {
  const destination = new RecordingDestination();
  destination.respond = ({ route }) => {
    if (route === 'bad') throw new DeliveryError('INVALID', 'the name of the stream');
    return accepted;
  };
  const { shipper, clock, errors } = start({ maxDelayMs: 0 }, { destination });
  for (let minute = 0; minute < 60; minute++) {
    shipper.accept(record('x', { level: 'bad' }));
    for (let second = 0; second < 60; second += 10) {
      shipper.accept(record('y', { level: 'fine' }));
      await clock.advance(10_000);
    }
  }
  expect(shipper.stats().dropped.invalid).toBeLessThan(3);
  expect(errors.map(({ code }) => code)).toContain('MISCONFIGURED');
});
