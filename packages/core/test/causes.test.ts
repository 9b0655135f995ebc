import { expect, it } from 'vitest';
import { DeliveryError, type Drop } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { type Started, start } from './support/start.js';

const failure = new DeliveryError('UNAVAILABLE', 'HTTP 503');

function failing(error = failure): RecordingDestination {
  const destination = new RecordingDestination();
  destination.respond = () => {
    throw error;
  };
  return destination;
}

/** Logs 20 records, one a batch, to a destination that fails, for the given time. */
async function logForAMoment(destination: RecordingDestination, forMs: number): Promise<Started> {
  const started = start({ maxBatchEvents: 1, maxDelayMs: 0 }, { destination });
  for (let i = 0; i < 20; i++) started.shipper.accept(record('x'));
  await started.clock.advance(forMs);
  return started;
}

function sumOf(drops: readonly Drop[]): number {
  return drops.reduce((sum, { records }) => sum + records, 0);
}

it('the cause of expired records is the last failure, also of those that had no attempt', async () => {
  const { drops } = await logForAMoment(failing(), 1_000_000);
  expect(drops.map(({ reason, cause }) => ({ reason, cause }))).toEqual(
    drops.map(() => ({ reason: 'expired', cause: failure })),
  );
  expect(sumOf(drops)).toBe(20);
});

it('the cause of records that close() gives up is the last failure, also of those that had no attempt', async () => {
  const { shipper, clock, drops } = await logForAMoment(failing(), 100);
  const closed = shipper.close();
  await clock.advance(5000);
  await closed;
  for (const drop of drops) expect(drop).toMatchObject({ reason: 'undeliverable', cause: failure });
  expect(sumOf(drops)).toBe(20);
});

it('the cause of records without a failure names the deadline of close()', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => new Promise(() => {});
  const { shipper, clock, drops } = await logForAMoment(destination, 100);
  const closed = shipper.close({ timeoutMs: 2000 });
  await clock.advance(2000);
  await closed;
  const cause = new Error('not delivered in 2000 ms, the time that the end may take (closeTimeoutMs)');
  expect(drops).toMatchObject([{ reason: 'undeliverable', records: 20, cause }]);
});

it.each([
  ['INVALID', 'invalid'],
  ['TOO_LARGE', 'too-large'],
] as const)('the cause of a record that is refused with %s is the refusal', async (code, reason) => {
  const refusal = new DeliveryError(code, 'refused');
  const destination = new RecordingDestination();
  destination.respond = ({ events }) => {
    if (events.some(({ payload }) => payload === 'a bad one')) throw refusal;
    return accepted;
  };
  const { shipper, drops } = start({}, { destination });
  for (const text of ['a', 'a bad one', 'b']) shipper.accept(record(text));
  await shipper.flush();
  expect(drops).toMatchObject([{ reason, records: 1, cause: refusal }]);
});

it('a failure that a success has followed is the cause of no later loss', async () => {
  const { shipper, destination, clock, drops } = await logForAMoment(failing(), 100);
  destination.respond = () => accepted;
  await shipper.flush();
  destination.respond = () => new Promise(() => {});
  shipper.accept(record('x'));
  const closed = shipper.close();
  await clock.advance(5000);
  await closed;
  expect(drops).toMatchObject([{ records: 1, cause: { message: expect.stringContaining('closeTimeoutMs') } }]);
});
