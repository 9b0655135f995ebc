import { AsyncLocalStorage } from 'node:async_hooks';
import type fc from 'fast-check';
import { expect } from 'vitest';
import { Reporter } from '../../src/accounting/reporter.js';
import { CoreShipper } from '../../src/core-shipper.js';
import {
  assertBalanced,
  type Batch,
  type DeliveryCode,
  DeliveryError,
  type DeliveryOptions,
  type Drop,
  type EncodedEvent,
  type Encoding,
  type SendOutcome,
  type Shipper,
  type TextRecord,
} from '../../src/index.js';
import { resolveDeliveryOptions } from '../../src/options/delivery-options.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { textOf } from './payloads.js';
import { encodeText, RecordingDestination, record } from './recording-destination.js';
import { Reference } from './reference.js';
import type { Outcome, Part, Request, Settings, Sights } from './reference-types.js';

export const MAX_BYTES = 2048;
const BASE_MS = Date.UTC(2026, 0, 10);

/** Records that are logged together. */
export interface Logged {
  readonly size: number;
  readonly filler: string;
  readonly timeJump: number;
  readonly route: string;
  readonly urgent: boolean;
  readonly parts: number;
  readonly poison: boolean;
  readonly times: number;
}

/** How the destination responds to a request: at once, or when the scheduler decides. */
export interface PlannedResponse {
  readonly kind: DeliveryCode | 'honest' | 'reject' | 'hang';
  readonly retryAfterMs: number;
  readonly ambiguous: boolean;
  readonly atOnce: boolean;
}

/** A record that is split at each bar. */
class SplittingDestination extends RecordingDestination {
  override encode(source: TextRecord): Encoding {
    const parts = source.text.split('|').map((part) => encodeText(source, part, this.form));
    return parts.length > 1 ? parts : (parts[0] as EncodedEvent);
  }
}

/** Tells of each loss after the change that it is a part of: `onDrop` may be called a second later. */
class WatchedReporter extends Reporter {
  readonly #onLoss: (drop: Drop) => void;

  constructor(callbacks: DeliveryOptions, clock: VirtualClock, onLoss: (drop: Drop) => void) {
    super('watched', callbacks, clock);
    this.#onLoss = onLoss;
  }

  override dropped(drop: Drop, wasKept: boolean): void {
    queueMicrotask(() => this.#onLoss(drop));
    super.dropped(drop, wasKept);
  }
}

/** A shipper, its destination and its clock, and the reference that watches them. */
export class World {
  readonly reference: Reference;
  readonly clock = new VirtualClock();
  readonly shipper: Shipper;
  /** Responses to the next requests. */
  readonly responses: PlannedResponse[] = [];
  readonly #destination = new SplittingDestination({ maxBytes: MAX_BYTES });
  /** Calls of `flush` and `close` that have not returned. */
  #endings = 0;
  readonly #takesBytes: number;
  #closing: Promise<unknown> | undefined;
  readonly #flushes = new Set<{ parts: readonly Part[]; untilMs: number; done: boolean }>();
  #responsesDue = 0;
  #isFinal = false;
  #time = BASE_MS;
  #id = 0;

  constructor(settings: Settings, scheduler: fc.Scheduler, seen: Sights) {
    const { baseMs, throttledBaseMs, capMs, maxAgeMs, jitter, takesBytes, form, separator, ...options } = settings;
    this.#takesBytes = takesBytes;
    Object.assign(this.#destination, { form, separator });
    this.reference = new Reference(settings, seen, MAX_BYTES);
    const retry = { baseMs, throttledBaseMs, capMs, maxAgeMs };
    const resolved = resolveDeliveryOptions({ ...options, retry, dropNotice: false }, this.#destination);
    const onError = ({ message }: DeliveryError): void => {
      if (message.includes('a setting may be wrong')) seen.blamed++;
    };
    const reporter = new WatchedReporter({ onError, onDrop: () => {} }, this.clock, (drop) =>
      this.reference.lost(drop, this.#now),
    );
    this.shipper = new CoreShipper(this.#destination, resolved, reporter, { clock: this.clock, random: () => jitter });
    const outside = AsyncLocalStorage.snapshot();
    this.#destination.respond = (batch, signal) => {
      const request = this.reference.sent(batch, this.#now);
      signal.addEventListener('abort', () => this.reference.aborted(request, this.#now));
      const planned = this.#isFinal ? undefined : this.responses.shift();
      if (this.#isFinal || planned?.atOnce) return this.#respondSoon(request, planned, signal);
      // Outside of `send`: records that the scheduler logs would count as feedback inside.
      return outside(() =>
        scheduler.schedule(Promise.resolve(), `response ${request.number}`, undefined, async (run) => {
          await run();
          await this.check();
        }),
      ).then(() => this.#respond(request, planned, signal));
    };
  }

  get #now(): number {
    return this.clock.monotonic();
  }

  accept({ size, filler, timeJump, route, urgent, parts, poison }: Omit<Logged, 'times'>): void {
    this.#time += timeJump;
    const id = this.#id++;
    const texts = Array.from({ length: parts }, (_, part) =>
      `#${id}.${part}${poison ? '!' : ''}#`.padEnd(size / Buffer.byteLength(filler), filler).toWellFormed(),
    );
    const source = record(texts.join('|'), { time: this.#time, level: route, urgent });
    const events = texts.map((text) => encodeText(source, text, this.#destination.form));
    this.reference.accept(events, urgent, this.#now, () => this.shipper.accept(source));
  }

  flush(timeoutMs: number | undefined): void {
    const parts = [...this.reference.pending];
    const flush = { parts, untilMs: this.#now + (timeoutMs ?? Number.POSITIVE_INFINITY), done: false };
    if (!this.reference.isClosed) this.reference.flushed(this.#now);
    this.#endings++;
    this.#flushes.add(flush);
    void this.shipper.flush({ timeoutMs }).then(() => {
      this.#endings--;
      flush.done = true;
      const settled = parts.every((part) => part.fate !== 'pending');
      if (!settled && this.#now < flush.untilMs) this.reference.faults.push('a flush returns too early');
    });
  }

  close(timeoutMs: number): void {
    if (this.#closing) {
      if (this.shipper.close() !== this.#closing) this.reference.faults.push('close returns another promise');
      return;
    }
    this.reference.isClosed = true;
    this.reference.flushed(this.#now);
    this.reference.closesAtMs = this.#now + timeoutMs;
    this.#endings++;
    this.#closing = this.shipper.close({ timeoutMs });
    void this.#closing.then(() => {
      this.#endings--;
      this.reference.isOver = true;
    });
  }

  async pass(ms: number): Promise<void> {
    await this.clock.advance(ms);
  }

  /** Compares the shipper with the reference, when no event is due. */
  async check(): Promise<void> {
    do await this.clock.advance(0);
    while (this.#responsesDue > 0);
    const { reference, shipper, clock } = this;
    const stats = shipper.stats();
    assertBalanced(stats);
    reference.check(stats, this.#now);
    const { faults } = reference;
    for (const flush of this.#flushes) {
      if (flush.done) this.#flushes.delete(flush);
      else if (!reference.isPendingFor(flush.parts) && !reference.isClosed) faults.push('a flush does not return');
      else if (this.#now >= flush.untilMs && !reference.isClosed) faults.push('a flush returns too late');
    }
    if (reference.closesAtMs !== undefined && !reference.isOver) {
      if (this.#now >= reference.closesAtMs) faults.push('close returns too late');
      if ([...reference.pending].every((part) => part.cannotStart))
        faults.push('close waits for attempts that cannot start');
    }
    if (this.#endings === 0 && clock.timersHeld > 0) faults.push('keeps the process alive');
    if (this.#endings > 0 && clock.timersHeld === 0) faults.push('lets the process end');
    if (stats.pending > 0 && stats.inFlight === 0 && clock.timers === clock.timersHeld) faults.push('sleeps for ever');
    expect([...faults, ...this.#destination.violations]).toEqual([]);
  }

  /** All requests succeed from now on. A flush delivers all records. */
  async end(requestTimeoutMs: number): Promise<void> {
    this.#isFinal = true;
    this.responses.length = 0;
    await this.pass(requestTimeoutMs);
    this.flush(undefined);
    await this.check();
    if (!this.reference.isClosed) expect([...this.reference.pending]).toEqual([]);
    await this.pass(7_200_000);
    await this.check();
    expect(this.shipper.stats()).toMatchObject({ pending: 0, inFlight: 0, bufferBytes: 0 });
    if (!this.reference.isClosed) {
      const { delivered } = this.shipper.stats();
      this.accept({ size: 10, filler: 'x', timeJump: 0, route: 'a', urgent: true, parts: 1, poison: false });
      this.flush(undefined);
      await this.check();
      expect(this.shipper.stats().delivered).toBe(delivered + 1);
    }
    expect(this.#endings).toBe(0);
  }

  #respondSoon(request: Request, planned: PlannedResponse | undefined, signal: AbortSignal): Promise<SendOutcome> {
    this.#responsesDue++;
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#responsesDue--;
        resolve(this.#respond(request, planned, signal));
      });
    });
  }

  async #respond(request: Request, planned: PlannedResponse | undefined, signal: AbortSignal): Promise<SendOutcome> {
    if (planned?.kind === 'hang' && !signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve));
    }
    const outcome = this.#isFinal ? stored(request.batch) : this.#responseOf(request.batch, planned);
    this.reference.ended(request, outcome, this.#now);
    if (DeliveryError.is(outcome)) throw outcome;
    return outcome;
  }

  #responseOf(batch: Batch, planned: PlannedResponse | undefined): Outcome {
    const { kind = 'honest', retryAfterMs, ambiguous } = planned ?? {};
    switch (kind) {
      case 'hang':
        return stored(batch);
      case 'reject':
        return { rejected: [{ index: batch.events.length - 1, reason: 'too-new' }], wireBytes: batch.bytes };
      case 'honest': {
        if (batch.bytes > this.#takesBytes) return new DeliveryError('TOO_LARGE', 'a proxy');
        const isPoisoned = batch.events.some(({ payload }) => textOf(payload).includes('!'));
        return isPoisoned ? new DeliveryError('INVALID', 'poison') : stored(batch);
      }
      case 'AGAIN':
      case 'INVALID':
      case 'TOO_LARGE':
        return new DeliveryError(kind, 'for the test', { ambiguous });
      default:
        return new DeliveryError(kind, 'for the test', { retryAfterMs, ambiguous });
    }
  }
}

function stored(batch: Batch): SendOutcome {
  return { rejected: [], wireBytes: batch.bytes };
}
