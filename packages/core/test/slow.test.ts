import { expect, it } from 'vitest';
import { assertBalanced, DeliveryError, type SendOutcome } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start, watchAttempts } from './support/start.js';

const KIB = 1024;
const MIB = 1024 * KIB;

/** 400 records of 10 kB. */
const records = Array.from({ length: 400 }, (_, index) => record(`#${index}#`.padEnd(9_990, 'x'), { time: index }));

it('batches that take too long get smaller, and fewer at a time, until they pass', async () => {
  const destination = new RecordingDestination({ maxBytes: MIB });
  const { shipper, clock, drops } = start({}, { destination });
  let busyUntilMs = 0;
  // An uplink of 20,000 bytes/s, that goes on with what nobody waits for.
  destination.respond = ({ bytes }) => {
    busyUntilMs = Math.max(busyUntilMs, clock.monotonic()) + bytes / 20;
    return new Promise<SendOutcome>((resolve) =>
      clock.setTimer(() => resolve(accepted), busyUntilMs - clock.monotonic()),
    );
  };
  for (const each of records) shipper.accept(each);
  await clock.advance(800_000);
  expect(drops).toEqual([]);
  expect(shipper.stats()).toMatchObject({ delivered: 400, pending: 0 });
  expect(destination.attempts.at(-1)?.bytes).toBeLessThan(600_000);
  assertBalanced(shipper.stats());
});

it('batches are whole again soon after a service that did not respond', async () => {
  const destination = new RecordingDestination({ maxBytes: MIB });
  const { shipper, clock } = start({}, { destination });
  destination.respond = (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', reject));
  for (const each of records) shipper.accept(each);
  await clock.advance(300_000);
  destination.respond = () => accepted;
  const before = destination.attempts.length;
  await clock.advance(120_000);
  expect(shipper.stats()).toMatchObject({ delivered: 400, pending: 0 });
  // 4 MB in batches of 64 KiB would be 60 requests.
  expect(destination.attempts.length - before).toBeLessThan(24);
  for (const each of records) shipper.accept(each);
  await shipper.flush();
  expect(destination.attempts.at(-2)?.bytes).toBeGreaterThan(MIB - 20_000);
});

it.each([false, true])(
  'an attempt that takes too long is ambiguous unless the destination says that nothing was sent: %s',
  async (ambiguous) => {
    const { shipper, destination, clock } = start();
    const errors = watchAttempts();
    destination.respond = (_, signal) =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(new DeliveryError('NETWORK', 'no address', { ambiguous })));
      });
    shipper.accept(record('one'));
    await clock.advance(32_000);
    expect(errors.at(-1)).toMatchObject({ code: 'TIMEOUT', ambiguous });
  },
);

it('the time of an attempt counts from the last progress', async () => {
  const destination = new RecordingDestination();
  const errors = watchAttempts();
  const { shipper, clock } = start({ requestTimeoutMs: 1000 }, { destination });
  destination.respond = async (_batch, _signal, progress) => {
    for (let i = 0; i < 8; i++) {
      await new Promise<void>((resolve) => clock.setTimer(resolve, 900));
      progress?.();
    }
    return accepted;
  };
  shipper.accept(record('x'));
  await clock.advance(20_000);
  expect(errors).toEqual([]);
  expect(shipper.stats()).toMatchObject({ delivered: 1, requests: 1 });
});

it.each([
  ['without progress after 1 s', 0, 1000, 'no response within 1000 ms'],
  ['1 s after the last progress', 3, 3700, 'no progress within 1000 ms'],
  ['after 10 s, whatever the progress', Number.POSITIVE_INFINITY, 10_000, 'no response within 10 times 1000 ms'],
])('an attempt ends %s', async (_, times, endsAtMs, message) => {
  const destination = new RecordingDestination();
  const errors = watchAttempts();
  const { shipper, clock } = start({ requestTimeoutMs: 1000, maxDelayMs: 0 }, { destination });
  let abortedAtMs = 0;
  destination.respond = (_batch, signal, progress) =>
    new Promise((_resolve, reject) => {
      signal.addEventListener('abort', () => {
        abortedAtMs ||= Math.round(clock.monotonic());
        reject(new DeliveryError('TIMEOUT', String(signal.reason.message), { ambiguous: true }));
      });
      const again = (count: number): void => {
        if (count > times || signal.aborted) return;
        clock.setTimer(() => {
          progress?.();
          again(count + 1);
        }, 900);
      };
      again(1);
    });
  shipper.accept(record('x'));
  await clock.advance(10_000);
  expect(abortedAtMs).toBe(endsAtMs);
  expect(errors[0]).toMatchObject({ code: 'TIMEOUT', message });
});

it('a limit of size that one batch met holds for all, and is tried again after 5 minutes', async () => {
  const destination = new RecordingDestination({ maxBytes: MIB });
  const { shipper, clock, drops } = start({}, { destination });
  let takesBytes = 600 * KIB;
  destination.respond = ({ bytes }) => {
    if (bytes > takesBytes) throw new DeliveryError('TOO_LARGE', 'HTTP 413');
    return accepted;
  };
  const inVain = (): number => destination.attempts.filter(({ bytes }) => bytes > takesBytes).length;
  const logAll = async (): Promise<void> => {
    for (let i = 0; i < 5; i++) for (const each of records) shipper.accept(each);
    await shipper.flush();
  };
  await logAll();
  expect(inVain()).toBeLessThanOrEqual(4);
  const first = inVain();
  await clock.advance(290_000);
  await logAll();
  expect(inVain()).toBe(first);
  await clock.advance(20_000);
  await logAll();
  expect(inVain()).toBe(first + 1);
  await clock.advance(310_000);
  takesBytes = Number.POSITIVE_INFINITY;
  await logAll();
  expect(destination.attempts.at(-2)?.bytes).toBeGreaterThan(MIB - 20_000);
  expect(drops).toEqual([]);
  expect(shipper.stats()).toMatchObject({ delivered: 8000, pending: 0 });
});
