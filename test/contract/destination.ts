import {
  assertBalanced,
  type Batch,
  createShipper,
  DeliveryError,
  type Destination,
  type EncodedEvent,
  type LogRecord,
  type SendOutcome,
} from '@logferry/core';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

/** A service that a destination ships to, which can be told to fail. */
export interface Service {
  /** A new destination for it. */
  create(): Destination;
  /** The texts of the records it stored, in order of arrival. */
  texts(): string[];
  requests(): number;
  /** Requests that broke a rule of the service. */
  violations(): readonly unknown[];
  fail(how: 'throttle' | 'serverError' | 'reset' | 'hang' | 'never' | 'often'): void;
  close(): Promise<void>;
}

/** What the core relies on in every destination. */
export function destinationContract(name: string, start: () => Promise<Service>): void {
  describe(`the destination ${name}`, () => {
    let service: Service;
    let destination: Destination;
    beforeEach(async () => {
      service = await start();
      destination = service.create();
    });
    afterEach(async () => {
      expect(service.violations()).toEqual([]);
      await destination.close?.();
      await service.close();
    });
    /** As the core does: AGAIN is granted once. */
    const send = async (batch: Batch, signal = new AbortController().signal): Promise<SendOutcome> => {
      try {
        return await destination.send(batch, signal);
      } catch (error) {
        if (!DeliveryError.is(error) || error.code !== 'AGAIN') throw error;
        return destination.send(batch, signal);
      }
    };

    it('makes no request at construction', () => {
      expect(service.requests()).toBe(0);
    });

    it('states limits that make sense', () => {
      const { maxEvents, maxBytes, maxSpanMs = 1 } = destination.limits;
      const { route } = encode(destination, 'x');
      expect(Math.min(maxEvents, maxBytes, maxSpanMs)).toBeGreaterThan(0);
      expect(destination.limits.baseBytes?.(route) ?? 0).toBeGreaterThanOrEqual(0);
      expect(destination.limits.baseBytes?.(route) ?? 0).toBeLessThan(maxBytes);
    });

    it('encodes any text to events within the limits, or refuses it; never throws, never sends', () => {
      const texts = fc.oneof(
        fc.string({ unit: 'binary' }),
        fc.constantFrom('', ' ', '\ud800', '\u0000'.repeat(400_000), '😀'.repeat(1_000_000)),
      );
      fc.assert(
        fc.property(texts, (text) => {
          const encoding = destination.encode(record(text));
          if ('refused' in encoding) return;
          for (const event of [encoding].flat() as EncodedEvent[]) {
            expect((destination.limits.baseBytes?.(event.route) ?? 0) + event.bytes).toBeLessThanOrEqual(
              destination.limits.maxBytes,
            );
            expect(event.payload.isWellFormed()).toBe(true);
            expect(Number.isInteger(event.time)).toBe(true);
          }
        }),
        { numRuns: 300 },
      );
      expect(service.requests()).toBe(0);
    });

    it('stores every text as it was, whatever its script', async () => {
      const texts = [
        'plain',
        'grüße',
        '世界',
        '😀🏴‍☠️',
        '"quotes" \\ and \n breaks \t',
        '\u2028\u2029',
        '{"json":true}',
        '</script>',
      ];
      const outcome = await send(batchOf(destination, texts));
      expect(service.texts()).toEqual(texts);
      expect(outcome.rejected).toEqual([]);
      expect(outcome.wireBytes).toBeGreaterThan(100);
    });

    it('counts as the service counts: a batch filled to the last byte is taken', async () => {
      const { limits } = destination;
      const { route } = encode(destination, 'x');
      const overhead = encode(destination, 'x').bytes - 1;
      const events: EncodedEvent[] = [];
      let left = limits.maxBytes - (limits.baseBytes?.(route) ?? 0);
      while (left > 100_000 + 2 * overhead) {
        events.push(encode(destination, 'é'.repeat(50_000)));
        left -= events.at(-1)?.bytes ?? 0;
      }
      events.push(encode(destination, 'x'.repeat(left - overhead)));
      const bytes = events.reduce((sum, event) => sum + event.bytes, limits.baseBytes?.(route) ?? 0);
      expect(bytes).toBe(limits.maxBytes);
      await send({ route, events, bytes });
      expect(service.texts()).toHaveLength(events.length);
    });

    it('takes the most events that it states', async () => {
      const texts = Array.from({ length: destination.limits.maxEvents }, (_, i) => String(i));
      await send(batchOf(destination, texts));
      expect(service.texts()).toHaveLength(texts.length);
    });

    it.each([
      ['throttle', ['THROTTLED'], false],
      ['serverError', ['UNAVAILABLE'], true],
      ['reset', ['NETWORK'], true],
    ] as const)('reports %s by its code, and can send the same batch again', async (how, codes, ambiguous) => {
      await send(batchOf(destination, ['first']));
      const batch = batchOf(destination, ['second']);
      service.fail(how);
      const error = await failureOf(send(batch));
      expect(codes).toContain(error.code);
      expect(error.ambiguous).toBe(ambiguous);
      expect(error.message).not.toBe('');
      service.fail('never');
      await send(batch);
      expect(service.texts()).toEqual(['first', 'second']);
    });

    it('ends a request that is aborted, and reports it as ambiguous', async () => {
      await send(batchOf(destination, ['first']));
      service.fail('hang');
      const controller = new AbortController();
      const requests = service.requests();
      const failure = failureOf(send(batchOf(destination, ['second']), controller.signal));
      await expect.poll(() => service.requests(), { timeout: 10_000 }).toBe(requests + 1);
      controller.abort();
      expect(await failure).toMatchObject({ code: 'TIMEOUT', ambiguous: true });
    });

    it('sends many batches at once, also the first of all', async () => {
      const shipper = createShipper(destination, { maxBatchEvents: 1, concurrency: 20 });
      for (let i = 0; i < 100; i++) shipper.accept(record(String(i)));
      expect(await shipper.flush()).toMatchObject({ delivered: 100 });
      expect(new Set(service.texts()).size).toBe(100);
    });

    it('delivers everything through the core while the service fails often', async () => {
      service.fail('often');
      const retry = { baseMs: 5, throttledBaseMs: 5, capMs: 50 };
      const shipper = createShipper(destination, { maxBatchEvents: 50, retry, onError: () => {} });
      for (let i = 0; i < 2000; i++) shipper.accept(record(String(i)));
      const report = await shipper.flush();
      expect(report).toMatchObject({ received: 2000, delivered: 2000 });
      assertBalanced(report);
      expect(
        service
          .texts()
          .map(Number)
          .sort((a, b) => a - b),
      ).toEqual(Array.from({ length: 2000 }, (_, i) => i));
    });
  });
}

function record(text: string): LogRecord {
  return { time: Date.now(), level: 'info', urgent: false, text, fields: { message: text } };
}

function encode(destination: Destination, text: string): EncodedEvent {
  const encoding = destination.encode(record(text));
  if ('payload' in encoding) return encoding;
  throw new Error(`not one event: ${JSON.stringify(encoding)}`);
}

function batchOf(destination: Destination, texts: readonly string[]): Batch {
  const events = texts.map((text) => encode(destination, text));
  const route = events[0]?.route ?? '';
  const bytes = events.reduce((sum, event) => sum + event.bytes, destination.limits.baseBytes?.(route) ?? 0);
  return { route, events, bytes };
}

async function failureOf(sending: Promise<unknown>): Promise<DeliveryError> {
  try {
    await sending;
  } catch (error) {
    if (DeliveryError.is(error)) return error;
    throw error;
  }
  throw new Error('the request succeeded');
}
