import type { Channels } from '../accounting/channels.js';
import { type Ledger, type StoredEvent, totalsOf } from '../accounting/ledger.js';
import type { Reporter } from '../accounting/reporter.js';
import { type DeliveryTally, Tally } from '../accounting/stats.js';
import type { Backlog } from '../batch/backlog.js';
import { Bisection } from '../batch/bisection.js';
import type { PendingBatch } from '../batch/pending-batch.js';
import type { Clock } from '../contract/clock.js';
import type { Destination, DropReason } from '../contract/destination.js';
import { type DeliveryCode, DeliveryError } from '../contract/errors.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import { attempt, type Stored } from './attempt.js';
import { CongestionControl, type RequestSnapshot } from './congestion.js';
import { judge, planRetry, type RetryVerdict } from './retry-policy.js';
import { RouteScheduler } from './route-scheduler.js';

/** What delivery has done so far, and does now. */
export interface DeliveryCounters extends DeliveryTally {
  /** Requests in flight now. */
  readonly inFlight: number;
  /** Most requests in flight allowed now: fewer after throttling and timeouts, 1 in an outage. */
  readonly concurrency: number;
}

export interface DeliveryDependencies {
  readonly destination: Destination;
  readonly options: ResolvedDeliveryOptions;
  readonly backlog: Backlog;
  readonly ledger: Ledger;
  readonly reporter: Reporter;
  readonly channels: Channels;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called after every answer. */
  readonly onAnswered: () => void;
}

/** Sealed batches wait for a slot, are tried, backed off, halved. The only retry loop. */
export class Delivery {
  readonly #dependencies: DeliveryDependencies;
  readonly routes: RouteScheduler;
  readonly #congestion: CongestionControl;
  readonly #flights = new Map<PendingBatch, AbortController>();
  #deadlineMs = Number.POSITIVE_INFINITY;
  readonly #tally = new Tally();

  constructor(dependencies: DeliveryDependencies) {
    this.#dependencies = dependencies;
    this.routes = new RouteScheduler(dependencies.options.ordered);
    this.#congestion = new CongestionControl(dependencies.options.concurrency, () => this.routes.size);
  }

  enqueue(batch: PendingBatch): void {
    this.routes.push(batch);
  }

  /** Starts as many attempts as may run now. */
  dispatch(nowMs: number): void {
    while (this.#flights.size < this.#congestion.capacity.slots && nowMs >= this.#congestion.pausedUntilMs) {
      const batch = this.routes.takeNext(nowMs, this.#congestion.capacity);
      if (!batch) return;
      void this.#attempt(batch, nowMs);
    }
  }

  /** Gives up what has waited too long behind failures. What waits behind successes only has its try to come. */
  expire(nowMs: number): void {
    const { backlog } = this.#dependencies;
    const isOutage = this.#congestion.outageFailures > 0;
    for (const batch of backlog) {
      if (this.#expiresAtMs(batch) > nowMs) return;
      const waits = batch.state === 'ready' || batch.state === 'backing-off' || batch.state === 'suspect';
      if (!waits || !(isOutage || this.routes.failuresOf(batch.route) > 0)) continue;
      this.routes.remove(batch);
      this.#lose(batch, 'expired');
    }
  }

  /** When there is something to dispatch next, on the monotonic clock; an answer that comes sooner changes it. */
  wakeAtMs(nowMs: number): number {
    const { capacity: allowance, pausedUntilMs } = this.#congestion;
    const hasSlot = this.#flights.size < allowance.slots;
    const triesAtMs = hasSlot ? Math.max(this.routes.wakeAtMs(allowance), pausedUntilMs) : Number.POSITIVE_INFINITY;
    for (const batch of this.#dependencies.backlog) {
      const expiresAtMs = this.#expiresAtMs(batch);
      // What is older has been looked at, and has its try to come, or its answer.
      if (expiresAtMs > nowMs) return Math.min(triesAtMs, expiresAtMs);
    }
    return triesAtMs;
  }

  /** Ends every backoff; what fails again backs off from the start. */
  wake(): void {
    for (const batch of this.#dependencies.backlog) batch.failures = 0;
    this.routes.wake(this.#dependencies.clock.monotonic());
    this.#congestion.wake();
  }

  /** From now on nothing waits for a try that would come after the deadline. */
  setDeadline(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
    for (const batch of this.#dependencies.backlog) {
      if (batch.state !== 'backing-off' || batch.askedUntilMs <= deadlineMs) continue;
      this.routes.remove(batch);
      this.#lose(batch, 'undeliverable');
    }
  }

  /** Gives up all that is left. */
  abandon(): void {
    for (const batch of this.#dependencies.backlog) {
      if (batch.state === 'settled') continue;
      if (batch.state === 'in-flight') {
        this.#tally.ambiguous++;
        this.routes.finish(batch, 'unknown');
      } else this.routes.remove(batch);
      this.#lose(batch, 'undeliverable');
    }
    for (const controller of this.#flights.values()) controller.abort();
    this.#flights.clear();
  }

  /** Takes a batch that waits out of the queue: all its records were given up. */
  discard(batch: PendingBatch): void {
    this.routes.remove(batch);
    this.#settle(batch);
  }

  /** Whether the last answer was a success. */
  get isHealthy(): boolean {
    return this.#congestion.isHealthy;
  }

  get counters(): DeliveryCounters {
    const concurrency = this.#congestion.capacity.slots;
    return { ...this.#tally.snapshot, inFlight: this.#flights.size, concurrency };
  }

  async #attempt(batch: PendingBatch, atMs: number): Promise<void> {
    const { destination, options, clock } = this.#dependencies;
    const controller = new AbortController();
    this.#flights.set(batch, controller);
    this.#tally.requests++;
    const sent = this.#congestion.sent(batch.route, atMs);
    const { requestTimeoutMs } = options;
    const answer = await attempt(destination, () => batch.request, controller, { requestTimeoutMs, clock });
    // Given up meanwhile.
    if (batch.state === 'settled') return;
    this.#flights.delete(batch);
    if (DeliveryError.is(answer)) this.#failed(batch, answer, sent);
    else this.#succeeded(batch, answer, sent);
    this.#dependencies.onAnswered();
  }

  #succeeded(batch: PendingBatch, { wireBytes, rejections, requestId }: Stored, sent: RequestSnapshot): void {
    const { ledger, channels, clock } = this.#dependencies;
    const { route, request } = batch;
    this.#congestion.succeeded();
    this.#tally.stored(request.bytes, wireBytes);
    const lost = new Map<DropReason, StoredEvent[]>();
    if (rejections.size === 0) ledger.deliver(batch.portion);
    else {
      const entries = batch.storedEvents;
      ledger.deliver(totalsOf(entries.filter((_, index) => !rejections.has(index))));
      for (const [index, reason] of rejections) {
        const entry = entries[index];
        if (entry && lost.get(reason)?.push(entry) === undefined) lost.set(reason, [entry]);
      }
    }
    const { count } = batch;
    this.#settle(batch, 'accepted');
    this.routes.finish(batch, 'works');
    channels.delivered(() => {
      const refused = [...lost.values()].reduce((sum, some) => sum + some.length, 0);
      const durationMs = clock.monotonic() - sent.atMs;
      return { route, events: count - refused, bytes: request.bytes, wireBytes, durationMs, requestId };
    });
    for (const [reason, some] of lost) ledger.lose(some, { reason, rejected: true });
    batch.recycle();
  }

  #failed(batch: PendingBatch, answer: DeliveryError, sent: RequestSnapshot): void {
    const { channels, clock, options, random, reporter } = this.#dependencies;
    const { route } = batch;
    const nowMs = clock.monotonic();
    if (answer.code === 'INVALID') batch.bisection ??= new Bisection(batch.count);
    const error = answer.code === 'INVALID' && batch.bisection ? batch.bisection.refused(answer) : answer;
    this.#congestion.failed(error.code, sent);
    batch.hasFailed = true;
    this.#tally.failed(error, clock.now());
    channels.error(() => ({ route, error }));
    const verdict = judge(error, batch.repeated, options.retry, random);
    // Before a loss that follows from it.
    if (verdict.next !== 'repeat') reporter.onError(error);
    if (verdict.next === 'retry') {
      this.#retry(batch, error.code, verdict, nowMs);
      for (const suspect of batch.bisection?.takeAcquitted() ?? []) {
        this.routes.remove(suspect);
        this.#retry(suspect, error.code, verdict, nowMs);
      }
      this.routes.finish(batch, 'fails');
      return;
    }
    if (verdict.next === 'repeat') {
      batch.repeated = true;
      this.#goesAgain(batch, error.code, 0);
      this.routes.putBack(batch);
    } else if (batch.count > 1) this.#halve(batch, error.code);
    else if (verdict.reason === 'invalid' && batch.bisection) this.#suspect(batch, batch.bisection);
    else this.#lose(batch, verdict.reason);
    this.routes.finish(batch, 'unknown');
  }

  /** Puts the batch to sleep until its next try, if there can be one. */
  #retry(batch: PendingBatch, code: DeliveryCode, verdict: RetryVerdict, nowMs: number): void {
    const { route } = batch;
    const { outageFailures } = this.#congestion;
    const failures = { batch: batch.failures, route: this.routes.failuresOf(route), outage: outageFailures };
    const remainingMs = this.#deadlineMs - nowMs;
    const { batchMs, routeMs, destinationMs } = planRetry(verdict, failures, remainingMs);
    if (routeMs > 0) this.routes.pause(route, nowMs + routeMs);
    if (destinationMs > 0) this.#congestion.pause(nowMs + destinationMs);
    if (nowMs >= this.#expiresAtMs(batch)) this.#lose(batch, 'expired');
    else if (batchMs > remainingMs) this.#lose(batch, 'undeliverable');
    else {
      this.#goesAgain(batch, code, batchMs);
      batch.failures++;
      batch.repeated = false;
      batch.askedUntilMs = nowMs + verdict.askedMs;
      this.routes.backOff(batch, nowMs + batchMs);
    }
  }

  /** A single record was refused; whether it is bad shows when others of its batch are taken. */
  #suspect(batch: PendingBatch, bisection: Bisection): void {
    bisection.suspect(batch);
    this.routes.park(batch);
    this.#convict(bisection);
  }

  #convict(bisection: Bisection): void {
    for (const batch of bisection.takeConvicted()) {
      this.routes.remove(batch);
      this.#lose(batch, 'invalid');
    }
  }

  #halve(batch: PendingBatch, code: DeliveryCode): void {
    const { backlog } = this.#dependencies;
    const halves = batch.halves();
    this.#goesAgain(batch, code, 0);
    batch.state = 'settled';
    batch.bisection?.halved();
    backlog.replace(batch, halves);
    for (const half of halves) this.routes.putBack(half);
  }

  #expiresAtMs({ acceptedAtMs }: PendingBatch): number {
    return acceptedAtMs + this.#dependencies.options.retry.maxAgeMs;
  }

  #goesAgain({ route, count }: PendingBatch, code: DeliveryCode, delayMs: number): void {
    this.#tally.retried(code);
    this.#dependencies.channels.retry(() => ({ route, code, events: count, delayMs }));
  }

  #lose(batch: PendingBatch, reason: DropReason): void {
    const { storedEvents: entries, state } = batch;
    this.#settle(batch);
    if (state !== 'in-flight') batch.clear();
    this.#dependencies.ledger.lose(entries, { reason, rejected: false });
  }

  #settle(batch: PendingBatch, how: 'accepted' | 'lost' = 'lost'): void {
    const { bisection } = batch;
    batch.state = 'settled';
    this.#dependencies.backlog.remove(batch);
    if (!bisection) return;
    bisection.settled(batch);
    if (how === 'accepted') bisection.accepted();
    this.#convict(bisection);
  }
}
