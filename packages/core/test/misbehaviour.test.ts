import { expect, it, onTestFinished, vi } from 'vitest';
import { assertBalanced, DeliveryError, type Encoding, type SendOutcome } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

/** An error whose text cannot be read. */
const unreadable = Object.defineProperty(new Error(), 'message', {
  get: () => {
    throw new Error('no');
  },
});

it.each([
  ['rejects with an object that has no prototype', () => Promise.reject(Object.create(null))],
  ['rejects with an error that cannot be read', () => Promise.reject(unreadable)],
  ['rejects with nothing', () => Promise.reject(undefined)],
  ['resolves with an error', async () => new Error('odd') as never],
  ['resolves with a list of null', async () => ({ rejected: [null], wireBytes: 1 }) as never],
])('delivers in the end, and the ledger adds up, when a destination %s', async (_, oddly) => {
  const destination = new RecordingDestination();
  const { shipper, clock } = start({ maxDelayMs: 0 }, { destination });
  const send = destination.send.bind(destination);
  destination.send = oddly as () => Promise<SendOutcome>;
  for (let i = 0; i < 3; i++) shipper.accept(record('x'));
  await clock.advance(10);
  expect(shipper.stats()).toMatchObject({ pending: 3, inFlight: 0, retries: { UNAVAILABLE: 1 } });
  destination.send = send;
  await clock.advance(1000);
  expect(shipper.stats()).toMatchObject({ delivered: 3, pending: 0, bufferBytes: 0 });
  assertBalanced(shipper.stats());
});

it('reports the faults of a stored batch, and ignores faults that are no DeliveryError', async () => {
  const destination = new RecordingDestination();
  const fault = new DeliveryError('MISCONFIGURED', 'the service refuses a setting');
  destination.respond = () => ({ ...accepted, faults: [fault, 'odd' as never, undefined as never] });
  const { shipper, errors } = start({}, { destination });
  for (const text of ['x', 'y']) {
    shipper.accept(record(text));
    await shipper.flush();
  }
  expect(errors).toEqual([fault]);
  expect(shipper.stats()).toMatchObject({ delivered: 2, retries: {}, lastError: undefined });
});

it('counts a rejection for an unknown reason as invalid', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => ({ rejected: [{ index: 0, reason: 'nope' as never }], wireBytes: Number.NaN });
  const { shipper } = start({}, { destination });
  shipper.accept(record('x'));
  await shipper.flush();
  expect(shipper.stats()).toMatchObject({ rejected: 1, rejectedByReason: { invalid: 1 }, wireBytes: 0 });
  assertBalanced(shipper.stats());
});

it.each([Number.NaN, -5, Number.POSITIVE_INFINITY])(
  'retries with its own backoff when a destination asks to wait %d ms',
  async (retryAfterMs) => {
    const destination = new RecordingDestination();
    destination.respond = () => {
      throw new DeliveryError('THROTTLED', 'slow down', { retryAfterMs });
    };
    const { shipper, clock } = start({ maxDelayMs: 0, retry: { maxAgeMs: 60_000 } }, { destination });
    shipper.accept(record('x'));
    await clock.advance(200_000);
    expect(destination.attempts.length).toBeGreaterThan(1);
    expect(shipper.stats()).toMatchObject({ pending: 0, dropped: { expired: 1 } });
  },
);

it.each([
  ['is asynchronous', async () => ({})],
  ['returns a list of null', () => [null]],
  ['returns no payload', () => ({ route: 'r', time: 1, bytes: 1 })],
  ['returns an ArrayBuffer', () => ({ route: 'r', time: 1, payload: new ArrayBuffer(1), bytes: 1 })],
  ['returns numbers of 16 bits', () => ({ route: 'r', time: 1, payload: new Uint16Array(1), bytes: 1 })],
  ['returns a list of bytes', () => ({ route: 'r', time: 1, payload: [1], bytes: 1 })],
  ['returns no size', () => ({ route: 'r', time: 1, payload: 'x', bytes: Number.NaN })],
  ['returns nothing', () => undefined],
])('counts a record as unencodable, and throws nothing, when encode %s', (_, encode) => {
  const { shipper, destination } = start();
  destination.encode = encode as unknown as () => Encoding;
  expect(shipper.accept(record('x'))).toBe(false);
  expect(shipper.stats()).toMatchObject({ received: 1, dropped: { unencodable: 1 }, bufferBytes: 0 });
  assertBalanced(shipper.stats());
});

it('counts a record whose time is no number, and throws nothing', () => {
  const { shipper } = start({ dropNotice: true });
  expect(shipper.accept({ ...record('x'), time: 1n as never })).toBe(false);
  expect(shipper.stats().dropped.unencodable).toBe(1);
});

it('retries when the allocation of a body fails', async () => {
  const { shipper, clock, destination } = start();
  shipper.accept(record('b', { time: 2 }));
  shipper.accept(record('a', { time: 1 }));
  const { allocUnsafe } = Buffer;
  let failures = 0;
  const allocate = vi.spyOn(Buffer, 'allocUnsafe').mockImplementation((bytes) => {
    // Node.js and the test runner allocate buffers meanwhile.
    const isBody = new Error().stack?.includes('/src/batch/') === true;
    if (isBody && failures++ === 0) throw new RangeError('Array buffer allocation failed');
    return allocUnsafe(bytes);
  });
  onTestFinished(() => allocate.mockRestore());
  await clock.advance(100_000);
  expect(shipper.stats()).toMatchObject({ delivered: 2, retries: { UNAVAILABLE: 1 } });
  expect(destination.texts).toEqual(['a', 'b']);
});

it('counts a refusal for an unknown reason as invalid', () => {
  const { shipper, destination } = start();
  destination.encode = () => ({ refused: 'nope' as never });
  expect(shipper.accept(record('x'))).toBe(false);
  expect(shipper.stats().dropped.invalid).toBe(1);
  assertBalanced(shipper.stats());
});

it("ends, with overflow 'drop-oldest', also when onDrop logs each loss into the same shipper", async () => {
  const { shipper, clock } = start({
    overflow: 'drop-oldest',
    maxBufferBytes: 4096,
    onDrop: ({ records }) => shipper.accept(record(`lost ${records}`.padEnd(100))),
  });
  for (let i = 0; i < 200; i++) shipper.accept(record('x'.repeat(140)));
  await clock.settle();
  const { received, pending } = shipper.stats();
  expect(received).toBe(201);
  expect(pending).toBeLessThanOrEqual(10);
  assertBalanced(shipper.stats());
});

it('accepts no record, and closes a destination once, while close() runs', async () => {
  const destination = new RecordingDestination();
  const { shipper } = start({}, { destination });
  destination.respond = () => {
    shipper.accept(record('logged by the destination'));
    void shipper.close();
    return accepted;
  };
  shipper.accept(record('x'));
  expect(await shipper.close()).toMatchObject({ received: 2, delivered: 1, pending: 0, dropped: { closed: 1 } });
  expect(destination).toMatchObject({ closed: 1, attempts: { length: 1 } });
});

it.each([
  ['hang', 4, () => new Promise<SendOutcome>(() => {})],
  [
    'are down',
    4,
    () => {
      throw new DeliveryError('UNAVAILABLE', 'down');
    },
  ],
  ['hang', 1, () => new Promise<SendOutcome>(() => {})],
] as const)('delivers records of healthy routes while others %s, with concurrency %i', async (_, concurrency, fail) => {
  const destination = new RecordingDestination();
  destination.respond = (batch) => (batch.route.startsWith('bad') ? fail() : accepted);
  const { shipper, clock } = start({ concurrency, retry: { maxAgeMs: 3_600_000 } }, { destination });
  for (let second = 0; second < 300; second++) {
    for (let bad = 0; bad < concurrency; bad++) shipper.accept(record('x', { level: `bad ${bad}` }));
    shipper.accept(record('y', { level: 'fine' }));
    await clock.advance(1000);
  }
  expect(destination.stored.length).toBeGreaterThan(250);
  expect(destination.attempts.length - destination.stored.length).toBeLessThan(300);
});

it('a batch that fails again and again does not block the others of its route', async () => {
  const destination = new RecordingDestination();
  destination.respond = (batch) => {
    if (batch.events.some((event) => event.payload === 'cursed')) throw new DeliveryError('UNAVAILABLE', 'down');
    return accepted;
  };
  const { shipper, clock } = start({ maxBatchEvents: 1 }, { destination });
  for (const text of ['cursed', ...Array.from({ length: 50 }, (_, i) => String(i))]) shipper.accept(record(text));
  await clock.advance(60_000);
  expect(shipper.stats()).toMatchObject({ delivered: 50, pending: 1 });
});

it('a flush makes one try in spite of Retry-After, and then waits as long as the service asks', async () => {
  const destination = new RecordingDestination();
  destination.respond = () => {
    throw new DeliveryError('THROTTLED', 'slow down', { retryAfterMs: 60_000 });
  };
  const { shipper, clock } = start({ maxDelayMs: 0 }, { destination });
  shipper.accept(record('x'));
  await clock.advance(10);
  const flushed = shipper.flush({ timeoutMs: 50_000 });
  await clock.advance(50_000);
  await flushed;
  expect(destination.attempts).toHaveLength(2);
  await clock.advance(10_000);
  expect(destination.attempts).toHaveLength(3);
});

it.each([Number.NaN, -1, '5' as never])(
  'counts a record as unencodable when baseBytes returns %j',
  async (baseBytes) => {
    const destination = new RecordingDestination({ baseBytes: () => baseBytes });
    const { shipper } = start({}, { destination });
    expect(shipper.accept(record('x'))).toBe(false);
    expect(shipper.stats()).toMatchObject({ dropped: { unencodable: 1 }, pending: 0, bufferBytes: 0 });
  },
);

it('reads each member of an event once, and asks once for its baseBytes', async () => {
  const reads = { payload: 0, baseBytes: 0 };
  const destination = new RecordingDestination({ baseBytes: () => 0 * ++reads.baseBytes });
  destination.encode = ({ time }) => ({
    route: 'r',
    time,
    bytes: 20,
    get payload() {
      return 'x'.repeat(++reads.payload);
    },
  });
  const { shipper } = start({}, { destination });
  shipper.accept(record('x'));
  expect(reads).toEqual({ payload: 1, baseBytes: 1 });
  await shipper.flush();
  expect(shipper.stats()).toMatchObject({ delivered: 1, bufferBytes: 0 });
});

it('delivers events that count no byte', async () => {
  const { shipper, destination } = start();
  destination.encode = ({ time }) => ({ route: 'r', time, payload: 'x', bytes: 0 });
  shipper.accept(record('x'));
  await shipper.flush();
  expect(shipper.stats()).toMatchObject({ delivered: 1, pending: 0 });
});

it('gives events of a batch, and lost ones, without anything of its own', async () => {
  const destination = new RecordingDestination();
  destination.respond = (batch) => ({ rejected: [{ index: 0, reason: 'too-old' }], wireBytes: batch.events.length });
  const { shipper, drops } = start({}, { destination });
  shipper.accept(record('x', { urgent: true }));
  await shipper.flush();
  for (const event of [destination.attempts[0]?.events[0], drops[0]?.events[0]])
    expect(Object.keys(event as object)).toEqual(['route', 'time', 'payload', 'bytes']);
});
