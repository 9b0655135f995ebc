import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Batch, DeliveryError, type EncodedEvent, enclosePayloads } from '../src/index.js';
import { payloadOf, textOf } from './support/payloads.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

const text = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** A destination that makes its bodies as ours do, and does not read the events first. */
class EnclosingDestination extends RecordingDestination {
  readonly bodies: string[] = [];
  prefix = '[';
  /** Called with the body while the request is in flight. */
  onBody: (body: Uint8Array, batch: Batch) => unknown = () => {};

  override async send(batch: Batch): Promise<typeof accepted> {
    const body = enclosePayloads(batch, this.prefix, ']');
    await this.onBody(body, batch);
    this.bodies.push(text(body));
    return accepted;
  }
}

it('encloses payloads of any number, size and order', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.record({ size: fc.oneof(fc.nat(50), fc.nat(3000), fc.nat(300_000)), time: fc.nat(5) }), {
        minLength: 1,
      }),
      fc.constantFrom('x', 'é', '中', '😀'),
      fc.constantFrom('[', '['.padEnd(1024, ' '), '['.padEnd(5000, ' ')),
      async (records, filler, prefix) => {
        const destination = new EnclosingDestination({ maxBytes: 4_000_000 });
        destination.prefix = prefix;
        const { shipper } = start({}, { destination });
        const payloads = records.map(({ size }, index) => JSON.stringify(`${index} ${filler.repeat(size / 4)}`));
        for (const [index, { time }] of records.entries()) shipper.accept(record(payloads[index] as string, { time }));
        await shipper.flush();
        expect(shipper.stats().delivered).toBe(records.length);
        const sent = destination.bodies.flatMap((body) => JSON.parse(body) as string[]);
        const order = payloads.map((payload, index) => ({ payload, time: records[index]?.time ?? 0 }));
        if (destination.bodies.length === 1) order.sort((a, b) => a.time - b.time);
        expect(sent.toSorted()).toEqual(order.map(({ payload }) => JSON.parse(payload)).toSorted());
        if (destination.bodies.length === 1) expect(sent).toEqual(order.map(({ payload }) => JSON.parse(payload)));
      },
    ),
    { numRuns: 150 },
  );
});

it('never changes a body in flight, although memory is reused', async () => {
  const destination = new EnclosingDestination({ maxEvents: 1000 });
  let failures = 40;
  destination.onBody = async (body) => {
    const before = text(body);
    await new Promise((resolve) => setImmediate(resolve));
    expect(text(body)).toBe(before);
    if (--failures % 4 === 0 && failures > 0) throw new DeliveryError('UNAVAILABLE', 'down', { ambiguous: true });
  };
  const { shipper, clock } = start({ concurrency: 4 }, { destination });
  let id = 0;
  for (let round = 0; round < 30; round++) {
    for (let i = 0; i < 2000; i++) shipper.accept(record(JSON.stringify({ id: id++, pad: 'x'.repeat(900) })));
    await clock.advance(1000);
  }
  await clock.advance(600_000);
  const ids = destination.bodies.flatMap((body) => JSON.parse(body) as { id: number }[]).map((event) => event.id);
  expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: id }, (_, index) => index));
});

it('does not change the body of an aborted request, since the socket may still read it', async () => {
  const destination = new EnclosingDestination({ maxEvents: 1000 });
  const { shipper, clock } = start({ requestTimeoutMs: 1000 }, { destination });
  const fill = (): void => {
    for (let i = 0; i < 1000; i++) shipper.accept(record(JSON.stringify({ id: id++, pad: 'x'.repeat(1000) })));
  };
  let id = 0;
  fill();
  await clock.advance(10);
  const stalled: { body: Uint8Array; before: string }[] = [];
  destination.onBody = (body) => {
    stalled.push({ body, before: text(body) });
    return stalled.length === 1 ? new Promise(() => {}) : undefined;
  };
  for (let round = 0; round < 20; round++) {
    fill();
    await clock.advance(1000);
  }
  expect(shipper.stats()).toMatchObject({ delivered: id, pending: 0, ambiguous: 1 });
  expect(text(stalled[0]?.body as Uint8Array)).toBe(stalled[0]?.before);
});

it('does not change the body of a batch that had joined others, and is sent again while the next ones wait', async () => {
  const destination = new EnclosingDestination();
  const failed: { body: Uint8Array; before: string }[] = [];
  let isThrottled = true;
  destination.onBody = (body) => {
    if (!isThrottled) return;
    failed.push({ body, before: text(body) });
    throw new DeliveryError('THROTTLED', 'slow down');
  };
  const { shipper, clock } = start({}, { destination });
  let id = 0;
  for (let round = 0; round < 100; round++) {
    for (let i = 0; i < 2; i++) shipper.accept(record(JSON.stringify({ id: id++, pad: 'x'.repeat(100_000) })));
    await clock.advance(1500);
  }
  isThrottled = false;
  await clock.advance(120_000);
  expect(shipper.stats()).toMatchObject({ delivered: id, pending: 0 });
  const ids = destination.bodies.flatMap((body) => JSON.parse(body) as { id: number }[]).map((event) => event.id);
  expect(ids.toSorted((a, b) => a - b)).toEqual(Array.from({ length: id }, (_, index) => index));
  expect(failed.length).toBeGreaterThan(5);
  expect(failed.filter(({ body, before }) => text(body) !== before)).toEqual([]);
});

const answer = fc.constantFrom(
  'stored',
  'THROTTLED',
  'THROTTLED',
  'AGAIN',
  'UNAVAILABLE',
  'NETWORK',
  'TOO_LARGE',
  'hangs',
);
const step = fc.record({
  answer: fc.option(answer, { nil: undefined, freq: 15 }),
  records: fc.array(
    fc.record({ size: fc.constantFrom(1000, 100_000, 200_000), route: fc.constantFrom('a', 'a', 'a', 'b') }),
    { maxLength: 3 },
  ),
  waitMs: fc.constantFrom(0, 1500, 1500, 5000),
});

it('sends each record once and never changes a body, whatever fails and joins meanwhile', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 40, maxLength: 80, size: 'max' }), async (steps) => {
      const destination = new EnclosingDestination();
      const made: { body: Uint8Array; before: Uint8Array }[] = [];
      let answer = 'stored';
      destination.onBody = (body) => {
        // Those of requests that stored something are free.
        if (answer === 'stored') return;
        made.push({ body, before: Uint8Array.from(body) });
        if (answer === 'hangs') return new Promise(() => {});
        throw new DeliveryError(answer as 'THROTTLED', 'failed');
      };
      const options = { retry: { maxAgeMs: 3_600_000 }, requestTimeoutMs: 5000 };
      const { shipper, clock } = start(options, { destination });
      let id = 0;
      for (const step of steps) {
        answer = step.answer ?? answer;
        for (const { size, route } of step.records)
          shipper.accept(record(JSON.stringify({ id: id++, pad: 'x'.repeat(size) }), { level: route }));
        await clock.advance(step.waitMs);
      }
      answer = 'stored';
      await clock.advance(600_000);
      const ids = destination.bodies.flatMap((body) => JSON.parse(body) as { id: number }[]).map((event) => event.id);
      const lost = shipper.stats().dropped['too-large'] + shipper.stats().dropped.undeliverable;
      expect(new Set(ids).size).toBe(ids.length);
      expect(shipper.stats()).toMatchObject({ delivered: ids.length, pending: 0, received: id });
      expect(ids.length + lost).toBe(id);
      for (const { body, before } of made) expect(Buffer.compare(body, before)).toBe(0);
    }),
    { numRuns: 60 },
  );
});

it('does not change the body of an earlier attempt when the next one has another prefix', async () => {
  const destination = new EnclosingDestination();
  const bodies: Uint8Array[] = [];
  destination.onBody = (body) => {
    bodies.push(body);
    if (bodies.length > 1) return;
    destination.prefix = '{"token":1}[';
    throw new DeliveryError('AGAIN', 'with a token');
  };
  const { shipper } = start({}, { destination });
  // Large enough that its buffer has room for the prefix.
  const payload = JSON.stringify('x'.repeat(500_000));
  for (let i = 0; i < 2; i++) shipper.accept(record(payload));
  await shipper.flush();
  expect(bodies.map(text)).toEqual([`[${payload},${payload}]`, `{"token":1}[${payload},${payload}]`]);
});

it('refuses to read the events of a batch after its delivery', async () => {
  const destination = new EnclosingDestination();
  const batches: Batch[] = [];
  destination.onBody = (_, batch) => batches.push(batch);
  const { shipper } = start({}, { destination });
  shipper.accept(record('"a"'));
  await shipper.flush();
  expect(() => batches[0]?.events).toThrow('batch.events cannot be read after the batch was delivered');
});

it('keeps the events for a destination that never asked for a body', async () => {
  const destination = new RecordingDestination();
  const batches: Batch[] = [];
  destination.send = async (batch) => {
    batches.push(batch);
    return accepted;
  };
  const { shipper } = start({}, { destination });
  shipper.accept(record('a'));
  await shipper.flush();
  for (let i = 0; i < 100; i++) shipper.accept(record(String(i)));
  await shipper.flush();
  expect(batches[0]?.events).toMatchObject([{ payload: 'a' }]);
});

it('encloses a batch made by hand', () => {
  const events = ['1', '2'].map((payload) => ({ route: 'r', time: 0, payload, bytes: 1 }));
  expect(text(enclosePayloads({ route: 'r', events, bytes: 2 }, '<', '>'))).toBe('<1,2>');
});

it.each([',', '\n', ''] as const)('encloses bytes as they are, with the separator %j', async (separator) => {
  const contents = fc.oneof(
    fc.uint8Array({ maxLength: 50 }),
    fc.string({ unit: 'grapheme' }),
    fc.nat(300_000).map((size) => Buffer.alloc(size, 0xc3)),
  );
  const edge = fc.oneof(fc.uint8Array({ maxLength: 2000 }), fc.string({ maxLength: 2000 }));
  await fc.assert(
    fc.asyncProperty(fc.array(contents, { minLength: 1 }), edge, edge, async (payloads, prefix, suffix) => {
      const destination = new RecordingDestination({ maxBytes: 10_000_000 });
      const bodies: Uint8Array[] = [];
      const parts = payloads.flatMap((payload, index) => [index === 0 ? '' : separator, payload]);
      const expected = Buffer.concat([prefix, ...parts, suffix].map((part) => Buffer.from(part)));
      Object.assign(destination, {
        separator,
        encode: ({ time, text }: { time: number; text: string }) => {
          const payload = payloads[Number(text)] as string | Uint8Array;
          return { route: 'r', time, payload, bytes: payload.length + 1 };
        },
        send: async (batch: Batch) => {
          const { events } = batch;
          bodies.push(enclosePayloads(batch, prefix, suffix));
          bodies.push(enclosePayloads({ route: 'r', events, bytes: 0, separator }, prefix, suffix));
          return accepted;
        },
      });
      const { shipper } = start({}, { destination });
      for (const index of payloads.keys()) shipper.accept(record(String(index)));
      await shipper.flush();
      expect(shipper.stats()).toMatchObject({ delivered: payloads.length, requests: 1 });
      expect(bodies.map((body) => expected.equals(body))).toEqual([true, true]);
    }),
    { numRuns: 60 },
  );
});

it('makes the same body again of edges that are equal, and another one of edges that changed', async () => {
  const destination = new RecordingDestination();
  const tail = Buffer.of(0xfe);
  const bodies: Uint8Array[] = [];
  destination.send = async (batch) => {
    bodies.push(enclosePayloads(batch, '<', tail), enclosePayloads(batch, '<', Uint8Array.from(tail)));
    tail[0] = 0xfd;
    bodies.push(enclosePayloads(batch, '<', tail));
    return accepted;
  };
  const { shipper } = start({}, { destination });
  shipper.accept(record('x'));
  await shipper.flush();
  const [first, second, third] = bodies;
  expect(second).toBe(first);
  expect([first, third]).toEqual([Buffer.from('<x\xfe', 'latin1'), Buffer.from('<x\xfd', 'latin1')]);
});

it.each(['text', 'bytes', 'mixed'] as const)(
  'gives payloads back in the form that they were given: %s',
  async (form) => {
    const destination = new RecordingDestination();
    destination.form = form;
    const events: EncodedEvent[] = [];
    destination.respond = (batch) => {
      events.push(...batch.events);
      throw new DeliveryError('INVALID', 'all of them');
    };
    const { shipper, drops, clock } = start({ maxBufferBytes: 4000, overflow: 'drop-oldest' }, { destination });
    const texts = Array.from({ length: 100 }, (_, number) => 'é'.repeat(number % 3) + number);
    for (const text of texts) shipper.accept(record(text));
    const closed = shipper.close({ timeoutMs: 1000 });
    await clock.advance(1000);
    await closed;
    const lost = drops.flatMap((drop) => drop.events);
    expect(lost.map(({ payload }) => textOf(payload))).toEqual(texts);
    expect(events.length).toBeGreaterThan(0);
    for (const { payload } of [...events, ...lost]) {
      const given = payloadOf(textOf(payload), form);
      expect(payload).toEqual(typeof given === 'string' ? given : new Uint8Array(given));
      // Memory of its own: a message to another thread holds nothing else.
      if (typeof payload !== 'string') expect(payload.buffer.byteLength).toBe(payload.length);
    }
  },
);
