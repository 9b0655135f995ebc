import type { Channels } from '../accounting/channels.js';
import { type Books, type Entry, portionOf } from '../accounting/ledger.js';
import type { Reporter } from '../accounting/reporter.js';
import { type DeliveryTally, Tally } from '../accounting/stats.js';
import type { Backlog } from '../batch/backlog.js';
import { Bisection } from '../batch/bisection.js';
import type { Parcel } from '../batch/pending-batch.js';
import type { Clock } from '../contract/clock.js';
import type { Destination, DropReason } from '../contract/destination.js';
import { type DeliveryCode, DeliveryError } from '../contract/errors.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import { attempt, type Stored } from './attempt.js';
import { Pace, type Sent } from './congestion.js';
import { judge, planRetry, type RetryVerdict } from './retry-policy.js';
import { Lanes } from './route-scheduler.js';

/** What delivery has done so far, and does now. */
export interface DeliveryCounters extends DeliveryTally {
  /** Requests in flight now. */
  readonly inFlight: number;
  /** Most requests in flight allowed now: fewer after throttling and timeouts, 1 in an outage. */
  readonly concurrency: number;
}

export interface DeliveryParts {
  readonly destination: Destination;
  readonly options: ResolvedDeliveryOptions;
  readonly backlog: Backlog;
  readonly books: Books;
  readonly reporter: Reporter;
  readonly channels: Channels;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called after every answer. */
  readonly landed: () => void;
}

/** Sealed batches wait for a slot, are tried, backed off, halved. The only retry loop. */
export class Delivery {
  readonly #parts: DeliveryParts;
  readonly lanes: Lanes;
  readonly #pace: Pace;
  readonly #flights = new Map<Parcel, AbortController>();
  #deadlineMs = Number.POSITIVE_INFINITY;
  readonly #tally = new Tally();

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.lanes = new Lanes(parts.options.ordered);
    this.#pace = new Pace(parts.options.concurrency, () => this.lanes.size);
  }

  enqueue(parcel: Parcel): void {
    this.lanes.push(parcel);
  }

  /** Starts as many attempts as may run now. */
  dispatch(nowMs: number): void {
    while (this.#flights.size < this.#pace.allowance.slots && nowMs >= this.#pace.pausedUntilMs) {
      const parcel = this.lanes.takeNext(nowMs, this.#pace.allowance);
      if (!parcel) return;
      void this.#attempt(parcel, nowMs);
    }
  }

  /** Gives up what has waited too long behind failures. What waits behind successes only has its try to come. */
  expire(nowMs: number): void {
    const { backlog } = this.#parts;
    const isOutage = this.#pace.outageFailures > 0;
    for (const parcel of backlog) {
      if (this.#expiresAtMs(parcel) > nowMs) return;
      const waits = parcel.state === 'ready' || parcel.state === 'asleep' || parcel.state === 'held';
      if (!waits || !(isOutage || this.lanes.failuresOf(parcel.route) > 0)) continue;
      this.lanes.remove(parcel);
      this.#lose(parcel, 'expired');
    }
  }

  /** When there is something to dispatch next, on the monotonic clock; an answer that comes sooner changes it. */
  wakeAtMs(nowMs: number): number {
    const { allowance, pausedUntilMs } = this.#pace;
    const hasSlot = this.#flights.size < allowance.slots;
    const triesAtMs = hasSlot ? Math.max(this.lanes.wakeAtMs(allowance), pausedUntilMs) : Number.POSITIVE_INFINITY;
    for (const parcel of this.#parts.backlog) {
      const expiresAtMs = this.#expiresAtMs(parcel);
      // What is older has been looked at, and has its try to come, or its answer.
      if (expiresAtMs > nowMs) return Math.min(triesAtMs, expiresAtMs);
    }
    return triesAtMs;
  }

  /** Ends every backoff; what fails again backs off from the start. */
  wake(): void {
    for (const parcel of this.#parts.backlog) parcel.failures = 0;
    this.lanes.wake(this.#parts.clock.monotonic());
    this.#pace.wake();
  }

  /** From now on nothing waits for a try that would come after the deadline. */
  setDeadline(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
    for (const parcel of this.#parts.backlog) {
      if (parcel.state !== 'asleep' || parcel.askedUntilMs <= deadlineMs) continue;
      this.lanes.remove(parcel);
      this.#lose(parcel, 'undeliverable');
    }
  }

  /** Gives up all that is left. */
  abandon(): void {
    for (const parcel of this.#parts.backlog) {
      if (parcel.state === 'settled') continue;
      if (parcel.state === 'flying') {
        this.#tally.ambiguous++;
        this.lanes.landed(parcel, 'unknown');
      } else this.lanes.remove(parcel);
      this.#lose(parcel, 'undeliverable');
    }
    for (const controller of this.#flights.values()) controller.abort();
    this.#flights.clear();
  }

  /** Takes a batch that waits out of the queue: all its records were given up. */
  discard(parcel: Parcel): void {
    this.lanes.remove(parcel);
    this.#settle(parcel);
  }

  /** Whether the last answer was a success. */
  get works(): boolean {
    return this.#pace.works;
  }

  get counters(): DeliveryCounters {
    const concurrency = this.#pace.allowance.slots;
    return { ...this.#tally.snapshot, inFlight: this.#flights.size, concurrency };
  }

  async #attempt(parcel: Parcel, atMs: number): Promise<void> {
    const { destination, options, clock } = this.#parts;
    const controller = new AbortController();
    this.#flights.set(parcel, controller);
    this.#tally.requests++;
    const sent = this.#pace.sent(parcel.route, atMs);
    const { requestTimeoutMs } = options;
    const answer = await attempt(destination, () => parcel.batch, controller, { requestTimeoutMs, clock });
    // Given up meanwhile.
    if (parcel.state === 'settled') return;
    this.#flights.delete(parcel);
    if (DeliveryError.is(answer)) this.#failed(parcel, answer, sent);
    else this.#succeeded(parcel, answer, sent);
    this.#parts.landed();
  }

  #succeeded(parcel: Parcel, { wireBytes, rejections, requestId }: Stored, sent: Sent): void {
    const { books, channels, clock } = this.#parts;
    const { route, batch } = parcel;
    this.#pace.succeeded();
    this.#tally.stored(batch.bytes, wireBytes);
    const lost = new Map<DropReason, Entry[]>();
    if (rejections.size === 0) books.deliver(parcel.portion);
    else {
      const entries = parcel.entries;
      books.deliver(portionOf(entries.filter((_, index) => !rejections.has(index))));
      for (const [index, reason] of rejections) {
        const entry = entries[index];
        if (entry && lost.get(reason)?.push(entry) === undefined) lost.set(reason, [entry]);
      }
    }
    const { count } = parcel;
    this.#settle(parcel, 'accepted');
    this.lanes.landed(parcel, 'works');
    channels.delivered(() => {
      const refused = [...lost.values()].reduce((sum, some) => sum + some.length, 0);
      const durationMs = clock.monotonic() - sent.atMs;
      return { route, events: count - refused, bytes: batch.bytes, wireBytes, durationMs, requestId };
    });
    for (const [reason, some] of lost) books.lose(some, { reason, rejected: true });
    parcel.recycle();
  }

  #failed(parcel: Parcel, answer: DeliveryError, sent: Sent): void {
    const { channels, clock, options, random, reporter } = this.#parts;
    const { route } = parcel;
    const nowMs = clock.monotonic();
    if (answer.code === 'INVALID') parcel.bisection ??= new Bisection(parcel.count);
    const error = answer.code === 'INVALID' && parcel.bisection ? parcel.bisection.refused(answer) : answer;
    this.#pace.failed(error.code, sent);
    parcel.hasFailed = true;
    this.#tally.failed(error, clock.now());
    channels.error(() => ({ route, error }));
    const verdict = judge(error, parcel.repeated, options.retry, random);
    // Before a loss that follows from it.
    if (verdict.next !== 'repeat') reporter.onError(error);
    if (verdict.next === 'retry') {
      this.#retry(parcel, error.code, verdict, nowMs);
      for (const suspect of parcel.bisection?.takeAcquitted() ?? []) {
        this.lanes.remove(suspect);
        this.#retry(suspect, error.code, verdict, nowMs);
      }
      this.lanes.landed(parcel, 'fails');
      return;
    }
    if (verdict.next === 'repeat') {
      parcel.repeated = true;
      this.#goesAgain(parcel, error.code, 0);
      this.lanes.putBack(parcel);
    } else if (parcel.count > 1) this.#halve(parcel, error.code);
    else if (verdict.reason === 'invalid' && parcel.bisection) this.#suspect(parcel, parcel.bisection);
    else this.#lose(parcel, verdict.reason);
    this.lanes.landed(parcel, 'unknown');
  }

  /** Puts the batch to sleep until its next try, if there can be one. */
  #retry(parcel: Parcel, code: DeliveryCode, verdict: RetryVerdict, nowMs: number): void {
    const { route } = parcel;
    const { outageFailures } = this.#pace;
    const failures = { batch: parcel.failures, route: this.lanes.failuresOf(route), outage: outageFailures };
    const remainingMs = this.#deadlineMs - nowMs;
    const { batchMs, routeMs, destinationMs } = planRetry(verdict, failures, remainingMs);
    if (routeMs > 0) this.lanes.pause(route, nowMs + routeMs);
    if (destinationMs > 0) this.#pace.pause(nowMs + destinationMs);
    if (nowMs >= this.#expiresAtMs(parcel)) this.#lose(parcel, 'expired');
    else if (batchMs > remainingMs) this.#lose(parcel, 'undeliverable');
    else {
      this.#goesAgain(parcel, code, batchMs);
      parcel.failures++;
      parcel.repeated = false;
      parcel.askedUntilMs = nowMs + verdict.askedMs;
      this.lanes.sleep(parcel, nowMs + batchMs);
    }
  }

  /** A single record was refused; whether it is bad shows when others of its batch are taken. */
  #suspect(parcel: Parcel, bisection: Bisection): void {
    bisection.suspect(parcel);
    this.lanes.hold(parcel);
    this.#convict(bisection);
  }

  #convict(bisection: Bisection): void {
    for (const parcel of bisection.takeConvicted()) {
      this.lanes.remove(parcel);
      this.#lose(parcel, 'invalid');
    }
  }

  #halve(parcel: Parcel, code: DeliveryCode): void {
    const { backlog } = this.#parts;
    const halves = parcel.halves();
    this.#goesAgain(parcel, code, 0);
    parcel.state = 'settled';
    parcel.bisection?.halved();
    backlog.replace(parcel, halves);
    for (const half of halves) this.lanes.putBack(half);
  }

  #expiresAtMs({ acceptedAtMs }: Parcel): number {
    return acceptedAtMs + this.#parts.options.retry.maxAgeMs;
  }

  #goesAgain({ route, count }: Parcel, code: DeliveryCode, delayMs: number): void {
    this.#tally.retried(code);
    this.#parts.channels.retry(() => ({ route, code, events: count, delayMs }));
  }

  #lose(parcel: Parcel, reason: DropReason): void {
    const { entries, state } = parcel;
    this.#settle(parcel);
    if (state !== 'flying') parcel.clear();
    this.#parts.books.lose(entries, { reason, rejected: false });
  }

  #settle(parcel: Parcel, how: 'accepted' | 'lost' = 'lost'): void {
    const { bisection } = parcel;
    parcel.state = 'settled';
    this.#parts.backlog.remove(parcel);
    if (!bisection) return;
    bisection.settled(parcel);
    if (how === 'accepted') bisection.accepted();
    this.#convict(bisection);
  }
}
