import { expect, it } from 'vitest';
import { assertBalanced, DeliveryError, type Destination } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start, watchAttempts } from './support/start.js';

const retry = { baseMs: 1000, capMs: 2000 };

/** A destination that fails while `isDown`, of a batch's route. */
function failing(isDown: (route: string) => boolean, code: 'NETWORK' | 'THROTTLED' | 'AUTH' = 'NETWORK') {
  const destination = new RecordingDestination();
  destination.respond = ({ route }) => {
    if (isDown(route)) throw new DeliveryError(code, `${route} is down`, { requestId: 'r-1' });
    return accepted;
  };
  return destination;
}

it('a retry that succeeds calls no onError: the channel and stats() have every attempt', async () => {
  const attempts = watchAttempts();
  let requests = 0;
  const destination = failing(() => requests++ % 4 < 3);
  const { shipper, clock, errors } = start({ maxDelayMs: 0, retry }, { destination });
  for (let second = 0; second < 100; second++) {
    shipper.accept(record('x'));
    await clock.advance(1000);
  }
  await clock.advance(20_000);
  expect(errors).toEqual([]);
  expect(attempts.length).toBeGreaterThan(10);
  expect(shipper.stats()).toMatchObject({ delivered: 100, retries: { NETWORK: attempts.length } });
});

it.each(['NETWORK', 'THROTTLED'] as const)(
  '%s without a success for 10 s is reported once, and its end when delivery goes on again',
  async (code) => {
    let isDown = true;
    const { shipper, clock, errors } = start({ maxDelayMs: 0, retry }, { destination: failing(() => isDown, code) });
    shipper.accept(record('x', { level: 'shop' }));
    await clock.advance(9999);
    expect(errors).toEqual([]);
    await clock.advance(1);
    const message = expect.stringMatching(/^nothing delivered for 10 s, \d+ attempts failed, the last: shop is down$/);
    expect(errors).toMatchObject([{ code, message, requestId: 'r-1', cause: { code, message: 'shop is down' } }]);
    await clock.advance(60_000);
    expect(errors).toHaveLength(1);
    isDown = false;
    await clock.advance(10_000);
    const { retries } = shipper.stats();
    const end = new RegExp(`^delivery to route "shop" goes on again after 7\\d s, ${retries[code]} attempts failed$`);
    expect(errors.slice(1)).toMatchObject([
      { code: 'RECOVERED', message: expect.stringMatching(end), cause: { code } },
    ]);
    await clock.advance(60_000);
    expect(errors).toHaveLength(2);
    assertBalanced(shipper.stats());
  },
);

it('the message names the target as the destination describes it', async () => {
  let isDown = true;
  const destination: Destination = Object.assign(
    failing(() => isDown),
    {
      describe: (route?: string) => ({ target: `log group "${route}"` }),
    },
  );
  const { shipper, clock, errors } = start({ maxDelayMs: 0, retry }, { destination: destination as never });
  shipper.accept(record('x', { level: 'shop' }));
  await clock.advance(15_000);
  isDown = false;
  await clock.advance(5000);
  expect(errors[1]?.message).toMatch(/^delivery to log group "shop" goes on again/);
});

it('AUTH is reported at once, and its end', async () => {
  let isDown = true;
  const { shipper, clock, errors } = start({ maxDelayMs: 0 }, { destination: failing(() => isDown, 'AUTH') });
  shipper.accept(record('x', { level: 'shop' }));
  await clock.advance(0);
  expect(errors).toMatchObject([{ code: 'AUTH', message: 'shop is down' }]);
  isDown = false;
  await clock.advance(60_000);
  const message = 'delivery to route "shop" goes on again after 60 s, 1 attempt failed';
  expect(errors.slice(1)).toMatchObject([{ code: 'RECOVERED', message }]);
});

it('a route that fails for itself is reported, whatever others deliver', async () => {
  const { shipper, clock, errors } = start({ maxDelayMs: 0, retry }, { destination: failing((r) => r === 'bad') });
  for (let second = 0; second < 60; second++) {
    for (const level of ['bad', 'good']) shipper.accept(record('x', { level }));
    await clock.advance(1000);
  }
  expect(errors).toMatchObject([{ code: 'NETWORK', message: expect.stringContaining('the last: bad is down') }]);
});

it.each([
  ['NETWORK', 1000],
  ['THROTTLED', 100],
] as const)('many routes in one outage (%s) are one report, and their end one each 30 s', async (code, routes) => {
  let isDown = true;
  const destination = failing(() => isDown, code);
  const { shipper, clock, errors } = start({ maxDelayMs: 0, retry: { capMs: 2000 } }, { destination });
  for (let route = 0; route < routes; route++) shipper.accept(record('x', { level: `route ${route}` }));
  await clock.advance(100_000);
  expect(errors).toMatchObject([{ code }]);
  isDown = false;
  await clock.advance(60_000);
  expect(shipper.stats()).toMatchObject({ delivered: routes, pending: 0 });
  const ends = errors.slice(1);
  expect(ends.length).toBeLessThanOrEqual(2);
  expect(ends.every((error) => error.code === 'RECOVERED')).toBe(true);
});

it('after an outage, a route that goes on failing is reported 10 s later, and not before', async () => {
  let isDown = true;
  const destination = new RecordingDestination();
  destination.respond = ({ route }) => {
    // It is not tried again in this test.
    if (route === 'second') throw new DeliveryError('NETWORK', 'second is down', { retryAfterMs: 600_000 });
    if (isDown || route === 'first') throw new DeliveryError('NETWORK', `${route} is down`);
    return accepted;
  };
  const { shipper, clock, errors } = start({ maxDelayMs: 0, retry }, { destination });
  shipper.accept(record('x', { level: 'first' }));
  await clock.advance(5000);
  for (const level of ['second', 'third']) shipper.accept(record('x', { level }));
  await clock.advance(60_000);
  expect(errors).toHaveLength(1);
  isDown = false;
  await clock.advance(9000);
  expect(shipper.stats().delivered).toBe(1);
  expect(errors).toHaveLength(1);
  await clock.advance(30_000);
  expect(errors.slice(1)).toMatchObject([{ code: 'NETWORK', message: expect.stringContaining('second is down') }]);
});

it('a failure is reported when records are given up for it, however short it lasted', async () => {
  const { shipper, clock, errors, drops } = start({ maxDelayMs: 0, retry }, { destination: failing(() => true) });
  shipper.accept(record('x', { level: 'shop' }));
  await clock.advance(500);
  expect(errors).toEqual([]);
  await shipper.close({ timeoutMs: 0 });
  const message = expect.stringMatching(
    /^nothing delivered for 500 ms, \d attempts? failed(, the last)?: shop is down$/,
  );
  expect(errors).toMatchObject([{ code: 'NETWORK', message }]);
  expect(drops).toMatchObject([{ reason: 'undeliverable', records: 1, cause: { code: 'NETWORK' } }]);
});

it('a route whose records have all been dropped is not reported later: the losses were', async () => {
  const destination = failing((route) => route === 'bad');
  const options = { maxDelayMs: 0, retry, maxBufferBytes: 10_000, overflow: 'drop-oldest' } as const;
  const { shipper, clock, errors, drops } = start(options, { destination });
  shipper.accept(record('x'.repeat(5000), { level: 'bad' }));
  await clock.advance(100);
  for (let second = 0; second < 60; second++) {
    shipper.accept(record('x'.repeat(5000), { level: 'good' }));
    await clock.advance(1000);
  }
  expect(drops).toMatchObject([{ reason: 'buffer-full', records: 1 }]);
  expect(errors).toEqual([]);
});

it('no timer of an incident keeps the process alive, and none is left after close()', async () => {
  const { shipper, clock } = start({ maxDelayMs: 0, retry }, { destination: failing(() => true) });
  shipper.accept(record('x'));
  await clock.advance(5000);
  expect(clock.timersHeld).toBe(0);
  expect(clock.timers).toBeGreaterThan(0);
  await shipper.close({ timeoutMs: 0 });
  expect(clock.timers).toBe(0);
});

it('forgets the oldest of more than 1,000 failing routes', async () => {
  let isDown = true;
  const { shipper, clock, errors } = start({ maxDelayMs: 0 }, { destination: failing(() => isDown, 'AUTH') });
  for (let route = 0; route < 1200; route++) shipper.accept(record('x', { level: `route ${route}` }));
  await clock.advance(200_000);
  isDown = false;
  await clock.advance(100_000);
  expect(shipper.stats()).toMatchObject({ delivered: 1200 });
  const ended = errors.map(({ message }) => Number(/^delivery to (\d+) targets goes on/.exec(message)?.[1] ?? 0));
  expect(Math.max(...ended)).toBeGreaterThan(0);
  expect(ended.reduce((sum, count) => sum + count, 0)).toBeLessThanOrEqual(1000);
});
