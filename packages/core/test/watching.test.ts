import { AsyncResource } from 'node:async_hooks';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { afterEach, expect, it } from 'vitest';
import {
  createShipper,
  type DeliveredMessage,
  DeliveryError,
  type DroppedMessage,
  type ErrorMessage,
  type RetryMessage,
} from '../src/index.js';
import { jumpingClock } from './support/jumping-clock.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

interface Messages {
  'logferry:delivered': DeliveredMessage;
  'logferry:dropped': DroppedMessage;
  'logferry:retry': RetryMessage;
  'logferry:error': ErrorMessage;
}

const unsubscribers: (() => void)[] = [];
afterEach(() => {
  for (const unsubscribe of unsubscribers.splice(0)) unsubscribe();
});

function listen<Name extends keyof Messages>(name: Name): Messages[Name][] {
  const messages: Messages[Name][] = [];
  const listener = (message: unknown): void => void messages.push(message as Messages[Name]);
  subscribe(name, listener);
  unsubscribers.push(() => void unsubscribe(name, listener));
  return messages;
}

it('publishes deliveries, retries, errors and losses on diagnostics channels', async () => {
  const [delivered, dropped, retried, failed] = [
    listen('logferry:delivered'),
    listen('logferry:dropped'),
    listen('logferry:retry'),
    listen('logferry:error'),
  ];
  const destination = new RecordingDestination();
  const error = new DeliveryError('UNAVAILABLE', 'down');
  destination.respond = () => {
    destination.respond = () => ({ rejected: [{ index: 0, reason: 'too-old' }], wireBytes: 7, requestId: 'r-1' });
    throw error;
  };
  const { shipper, clock } = start({ maxDelayMs: 0 }, { destination });
  for (const text of ['a', 'b', 'c']) shipper.accept(record(text, { time: 5 }));
  await clock.advance(1000);
  expect(failed).toEqual([{ destination: 'recording', route: 'info', error }]);
  expect(retried).toEqual([
    { destination: 'recording', route: 'info', code: 'UNAVAILABLE', events: 3, delayMs: expect.closeTo(200, 0) },
  ]);
  expect(delivered).toEqual([
    { destination: 'recording', route: 'info', events: 2, bytes: 33, wireBytes: 7, durationMs: 0, requestId: 'r-1' },
  ]);
  expect(dropped).toMatchObject([
    { destination: 'recording', reason: 'too-old', records: 1, from: 5, to: 5, events: [{ payload: 'a' }] },
  ]);
});

it('stats() has the age of the oldest pending record, the last error, and retries by code', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => {
    throw new DeliveryError('THROTTLED', 'slow down');
  };
  const { shipper, clock } = start({ maxDelayMs: 0 }, { destination });
  expect(shipper.stats()).toMatchObject({ oldestAgeMs: 0, lastError: undefined, retries: {} });
  shipper.accept(record('first'));
  await clock.advance(600);
  shipper.accept(record('second'));
  await clock.advance(300);
  expect(shipper.stats()).toMatchObject({
    oldestAgeMs: 900,
    lastError: { code: 'THROTTLED', message: 'slow down', time: Date.UTC(2026, 0, 1) },
    retries: { THROTTLED: 1 },
    concurrency: 2,
  });
  clock.jump(-86_400_000);
  destination.respond = () => accepted;
  await shipper.flush();
  expect(shipper.stats()).toMatchObject({ oldestAgeMs: 0, delivered: 2, lastError: { code: 'THROTTLED' } });
});

it('stats() can be sent to another thread', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => {
    throw new DeliveryError('NETWORK', 'no', { cause: new Error('with a function', { cause: () => {} }) });
  };
  const { shipper, clock } = start({ maxDelayMs: 0 }, { destination });
  shipper.accept(record('x'));
  await clock.advance(1);
  expect(structuredClone(shipper.stats())).toEqual(shipper.stats());
});

it('counts the callbacks of the application that throw or reject', async () => {
  const destination = new RecordingDestination();
  destination.respond = ({ events }) => {
    if (events.some(({ payload }) => payload === 'bad')) throw new DeliveryError('INVALID', 'no');
    return accepted;
  };
  const refused = destination.respond;
  destination.respond = () => {
    destination.respond = refused;
    throw new DeliveryError('AUTH', 'no');
  };
  const onError = async (): Promise<void> => {
    throw new Error('in the callback');
  };
  const onDrop = (): void => {
    throw new Error('in the callback');
  };
  const { shipper, clock } = start({ onError, onDrop }, { destination });
  for (const text of ['bad', 'good']) shipper.accept(record(text));
  await clock.settle();
  await clock.advance(1000);
  await shipper.close();
  // The failure, its end, and the loss.
  expect(shipper.stats()).toMatchObject({ dropped: { invalid: 1 }, callbackErrors: 3 });
});

it('refuses records that are logged from inside a request, of this shipper or another, also after an await', async () => {
  const destination = new RecordingDestination();
  const { shipper, drops } = start({}, { destination });
  const other = start();
  destination.respond = async () => {
    shipper.accept(record('a line of the SDK'));
    await new Promise((resolve) => setTimeout(resolve, 1));
    shipper.accept(record('another line of the SDK'));
    other.shipper.accept(record('the same, in another transport'));
    return accepted;
  };
  shipper.accept(record('x'));
  await shipper.flush();
  expect(shipper.stats()).toMatchObject({ received: 3, delivered: 1, pending: 0, dropped: { feedback: 2 } });
  expect(other.shipper.stats()).toMatchObject({ received: 1, pending: 0, dropped: { feedback: 1 } });
  // In one turn or in two.
  expect(drops.every(({ reason }) => reason === 'feedback')).toBe(true);
  expect(drops.reduce((sum, { records }) => sum + records, 0)).toBe(2);
});

it('refuses records that a request logs up to the turn of its end, and accepts those of its timers after that', async () => {
  const destination = new RecordingDestination();
  const { shipper } = start({}, { destination });
  let log = (): void => {};
  destination.respond = async () => {
    log = AsyncResource.bind(() => void shipper.accept(record('data')));
    return accepted;
  };
  shipper.accept(record('x'));
  await shipper.flush();
  log();
  await new Promise((resolve) => setImmediate(resolve));
  for (let line = 0; line < 20; line++) log();
  await shipper.flush();
  expect(shipper.stats()).toMatchObject({ received: 22, delivered: 21, dropped: { feedback: 1 } });
});

it('accepts records of a timer of a request that hangs, once its time is over', async () => {
  const destination = new RecordingDestination();
  const { shipper, clock } = start({ maxDelayMs: 0, requestTimeoutMs: 1000 }, { destination });
  let log = (): void => {};
  destination.respond = () => {
    log = AsyncResource.bind(() => void shipper.accept(record('data')));
    destination.respond = () => accepted;
    return new Promise(() => {});
  };
  shipper.accept(record('x'));
  await clock.advance(500);
  log();
  await clock.advance(500);
  log();
  await shipper.flush();
  expect(shipper.stats()).toMatchObject({ received: 3, delivered: 2, dropped: { feedback: 1 } });
});

it('accepts records of a timer that a callback started, once 60 s are over', async () => {
  const jump = jumpingClock();
  const destination = new RecordingDestination();
  destination.respond = () => {
    destination.respond = () => accepted;
    throw new DeliveryError('AUTH', 'no');
  };
  let log = (): void => {};
  const onError = ({ code }: DeliveryError): void => {
    if (code === 'AUTH') log = AsyncResource.bind(() => void shipper.accept({ ...record('x'), text: 5 as never }));
  };
  const { shipper, clock, drops } = start({ onError }, { destination });
  shipper.accept(record('x'));
  await clock.advance(2000);
  jump(59_000);
  log();
  await shipper.flush();
  expect(drops).toHaveLength(0);
  jump(1000);
  log();
  await shipper.flush();
  expect(drops).toHaveLength(1);
});

it('takes a repetition at once for no failure: lastError is absent after a start that creates its stream', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => {
    destination.respond = () => accepted;
    throw new DeliveryError('AGAIN', 'the stream does not exist');
  };
  const { shipper } = start({}, { destination });
  shipper.accept(record('x'));
  await shipper.flush();
  expect(shipper.stats()).toMatchObject({ delivered: 1, retries: { AGAIN: 1 }, lastError: undefined });
});

it('accepts records that onError and onDrop log, and those of the application while requests are in flight', async () => {
  const destination = new RecordingDestination();
  let failFirst = (): void => {};
  destination.respond = () =>
    new Promise((_, reject) => {
      destination.respond = () => accepted;
      failFirst = () => reject(new DeliveryError('AUTH', 'no'));
    });
  const shipper = createShipper(destination, {
    maxDelayMs: 0,
    retry: { baseMs: 1 },
    onError: ({ code }) => void (code === 'AUTH' && shipper.accept(record('an error was logged'))),
  });
  shipper.accept(record('x'));
  await expect.poll(() => shipper.stats().inFlight).toBe(1);
  shipper.accept(record('meanwhile'));
  failFirst();
  await expect.poll(() => shipper.stats().received).toBe(3);
  await shipper.flush();
  expect(shipper.stats().delivered).toBe(3);
  expect(shipper.stats().dropped.feedback).toBe(0);
  await shipper.close();
});
