import { expect, it } from 'vitest';
import { assertBalanced, DeliveryError } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

const big = (name: string): ReturnType<typeof record> => record(name.padEnd(768, '.'));
const noticesIn = (destination: RecordingDestination): Record<string, unknown>[] =>
  destination.texts.filter((text) => text.includes('logferry')).map((text) => JSON.parse(text));

function down(): RecordingDestination {
  const destination = new RecordingDestination();
  destination.respond = () => {
    throw new DeliveryError('UNAVAILABLE', 'down');
  };
  return destination;
}

it('after an outage states in the logs how many records were dropped, the reason, and the first and last time', async () => {
  const destination = down();
  const { shipper, clock } = start({ dropNotice: true, maxBufferBytes: 10 * 1024 }, { destination });
  for (let i = 0; i < 20; i++)
    shipper.accept(record(String(i).padEnd(768, '.'), { time: Date.UTC(2026, 0, 1, 0, 0, i) }));
  await clock.advance(10_000);
  expect(destination.stored).toEqual([]);
  destination.respond = () => accepted;
  await clock.advance(30_000);
  expect(noticesIn(destination)).toEqual([
    {
      level: 'warn',
      time: expect.stringMatching(/^2026-01-01T00:00:\d\d/),
      message:
        'logferry: 12 records dropped (buffer-full) between 2026-01-01T00:00:08.000Z and 2026-01-01T00:00:19.000Z',
      logferry: {
        dropped: 12,
        reason: 'buffer-full',
        from: '2026-01-01T00:00:08.000Z',
        to: '2026-01-01T00:00:19.000Z',
      },
    },
  ]);
  expect(shipper.stats()).toMatchObject({ received: 20, delivered: 8, pending: 0, bufferBytes: 0 });
  assertBalanced(shipper.stats());
});

it('writes no notice with dropNotice false', async () => {
  const { shipper, destination, clock } = start({ dropNotice: false });
  shipper.accept(record('x'.repeat(2_000_000)));
  shipper.accept(record('y'));
  await clock.advance(60_000);
  await shipper.close();
  expect(destination.texts).toEqual(['y']);
});

it('writes a notice for each reason, at most every 30 s, and the rest at the end', async () => {
  const { shipper, destination, clock } = start({ dropNotice: true });
  const counts = (): unknown[] =>
    noticesIn(destination).map(({ logferry }) => (logferry as { dropped: number }).dropped);
  for (let second = 0; second < 50; second++) {
    shipper.accept(record('x'.repeat(2_000_000)));
    shipper.accept(record('y'));
    await clock.advance(1000);
  }
  expect(counts()).toHaveLength(2);
  await shipper.close();
  expect(counts()).toHaveLength(3);
  expect((counts() as number[]).reduce((a, b) => a + b, 0)).toBe(50);
});

it('does not prolong close() to deliver a notice to a service that is down', async () => {
  const destination = down();
  const { shipper, clock } = start({ dropNotice: true, retry: { maxAgeMs: 5000 } }, { destination });
  shipper.accept(record('x'));
  await clock.advance(60_000);
  expect(shipper.stats()).toMatchObject({ pending: 0, dropped: { expired: 1 } });
  const before = destination.attempts.length;
  await shipper.close();
  expect(destination.attempts).toHaveLength(before);
});

it('a notice takes its part of the budget, is not in the ledger, and its loss is not reported', async () => {
  const destination = new RecordingDestination();
  const { shipper, clock, drops } = start({ dropNotice: true, maxBufferBytes: 4096 }, { destination });
  for (let i = 0; i < 5; i++) shipper.accept(big(String(i)));
  const lost = shipper.stats().dropped['buffer-full'];
  await clock.advance(1000);
  destination.respond = () => {
    throw new DeliveryError('UNAVAILABLE', 'down');
  };
  const { delivered, pending, bufferBytes } = shipper.stats();
  expect({ delivered, pending }).toEqual({ delivered: 5 - lost, pending: 0 });
  expect(bufferBytes).toBeGreaterThan(1536);
  const reported = drops.length;
  await clock.advance(1_000_000);
  expect(shipper.stats()).toMatchObject({ received: 5, pending: 0, bufferBytes: 0 });
  expect(drops).toHaveLength(reported);
  assertBalanced(shipper.stats());
});

it('states in the logs that the service rejected records', async () => {
  const destination = new RecordingDestination();
  destination.respond = (batch) => ({
    rejected: batch.events.flatMap(({ payload }, index) => (payload === 'old' ? [{ index, reason: 'too-old' }] : [])),
    wireBytes: 1,
  });
  const { shipper, clock } = start({ dropNotice: true }, { destination });
  for (const text of ['old', 'new', 'old']) shipper.accept(record(text, { time: 0 }));
  await clock.advance(3000);
  expect(noticesIn(destination)).toMatchObject([{ logferry: { dropped: 2, reason: 'too-old' } }]);
});
