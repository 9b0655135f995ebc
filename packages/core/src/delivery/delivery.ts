import { type Ledger, type StoredEvent, totalsOf } from '../accounting/ledger.js';
import type { Reporter } from '../accounting/reporter.js';
import { type AttemptCounts, type DeliveryStats, noAttempts } from '../accounting/stats.js';
import type { Backlog } from '../batch/backlog.js';
import { Bisection } from '../batch/bisection.js';
import type { PendingBatch } from '../batch/pending-batch.js';
import type { Clock } from '../contract/clock.js';
import type { Destination, DropReason } from '../contract/destination.js';
import { type DeliveryCode, DeliveryError } from '../contract/errors.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import { attempt, type Stored } from './attempt.js';
import { CongestionControl, type RequestSnapshot, type SendCapacity } from './congestion.js';
import { decide, planRetry, type RetryDecision } from './retry-policy.js';
import { RouteScheduler } from './route-scheduler.js';

interface Dependencies {
  readonly destination: Destination;
  readonly options: ResolvedDeliveryOptions;
  readonly backlog: Backlog;
  readonly ledger: Ledger;
  readonly reporter: Reporter;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called after every response. */
  readonly onAnswered: () => void;
}

/** Sends sealed batches: they wait for a slot, are tried, back off, are halved. The only retry loop. */
export class Delivery {
  readonly routes: RouteScheduler;
  readonly #dependencies: Dependencies;
  readonly #congestion: CongestionControl;
  readonly #inFlight = new Map<PendingBatch, AbortController>();
  readonly #counts = noAttempts();
  #deadlineMs = Number.POSITIVE_INFINITY;

  constructor(dependencies: Dependencies) {
    const { ordered, concurrency } = dependencies.options;
    this.#dependencies = dependencies;
    this.routes = new RouteScheduler(ordered);
    this.#congestion = new CongestionControl(concurrency);
  }

  enqueue(batch: PendingBatch): void {
    this.routes.push(batch);
  }

  /** Starts as many attempts as may run now. */
  dispatch(nowMs: number): void {
    for (;;) {
      const capacity = this.#capacity;
      if (this.#inFlight.size >= capacity.slots || nowMs < capacity.notBeforeMs) return;
      const batch = this.routes.takeNext(nowMs, capacity);
      if (!batch) return;
      void this.#attempt(batch, nowMs);
    }
  }

  /** Drops batches older than `retry.maxAgeMs` on failing routes. On healthy routes their turn will come. */
  expire(nowMs: number): void {
    const { isOutage } = this.#capacity;
    for (const batch of this.#dependencies.backlog) {
      if (this.#expiresAtMs(batch) > nowMs) return;
      const waits = batch.state === 'ready' || batch.state === 'backing-off' || batch.state === 'suspect';
      if (!waits || !(isOutage || this.routes.failuresOf(batch.route) > 0)) continue;
      this.routes.remove(batch);
      this.#lose(batch, 'expired');
    }
  }

  /** Time of the next dispatch or expiry, on the monotonic clock. */
  wakeAtMs(nowMs: number): number {
    const capacity = this.#capacity;
    const hasSlot = this.#inFlight.size < capacity.slots;
    const dispatchAtMs = hasSlot
      ? Math.max(this.routes.wakeAtMs(capacity), capacity.notBeforeMs)
      : Number.POSITIVE_INFINITY;
    for (const batch of this.#dependencies.backlog) {
      const expiresAtMs = this.#expiresAtMs(batch);
      // `expire` has handled older batches.
      if (expiresAtMs > nowMs) return Math.min(dispatchAtMs, expiresAtMs);
    }
    return dispatchAtMs;
  }

  /** Ends every backoff. A batch that fails again backs off from the start. */
  wake(): void {
    for (const batch of this.#dependencies.backlog) batch.failures = 0;
    this.routes.wake(this.#dependencies.clock.monotonic());
    this.#congestion.wake();
  }

  /** Drops batches whose next attempt would come after the deadline, now and from now on. */
  setDeadline(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
    for (const batch of this.#dependencies.backlog) {
      if (batch.state !== 'backing-off' || batch.retryAfterUntilMs <= deadlineMs) continue;
      this.routes.remove(batch);
      this.#lose(batch, 'undeliverable');
    }
  }

  /** Drops all batches that are left. */
  abandon(): void {
    for (const batch of this.#dependencies.backlog) {
      if (batch.state === 'settled') continue;
      if (batch.state === 'in-flight') {
        this.#counts.ambiguous++;
        this.routes.finish(batch, 'unknown');
      } else this.routes.remove(batch);
      this.#lose(batch, 'undeliverable');
    }
    for (const controller of this.#inFlight.values()) controller.abort();
    this.#inFlight.clear();
  }

  /** Takes out a waiting batch whose events were all evicted. */
  discard(batch: PendingBatch): void {
    this.routes.remove(batch);
    this.#settle(batch);
  }

  /** Whether the last response was a success. */
  get isHealthy(): boolean {
    return this.#congestion.isHealthy;
  }

  /** Whether no request is in flight. */
  get isIdle(): boolean {
    return this.#inFlight.size === 0;
  }

  get stats(): Pick<DeliveryStats, keyof AttemptCounts | 'inFlight' | 'concurrency'> {
    const retries = { ...this.#counts.retries };
    return { ...this.#counts, retries, inFlight: this.#inFlight.size, concurrency: this.#capacity.slots };
  }

  get #capacity(): SendCapacity {
    return this.#congestion.capacity(this.routes.size);
  }

  async #attempt(batch: PendingBatch, atMs: number): Promise<void> {
    const { destination, options, clock, onAnswered } = this.#dependencies;
    const controller = new AbortController();
    this.#inFlight.set(batch, controller);
    this.#counts.requests++;
    const snapshot = this.#congestion.sent(batch.route, atMs);
    const { requestTimeoutMs } = options;
    const result = await attempt(destination, () => batch.events.batch, controller, { requestTimeoutMs, clock });
    // It was abandoned meanwhile.
    if (batch.state === 'settled') return;
    this.#inFlight.delete(batch);
    if (DeliveryError.is(result)) this.#failed(batch, result, snapshot);
    else this.#succeeded(batch, result, snapshot);
    onAnswered();
  }

  #succeeded(
    batch: PendingBatch,
    { wireBytes, rejections, requestId, faults }: Stored,
    snapshot: RequestSnapshot,
  ): void {
    const { ledger, reporter, clock } = this.#dependencies;
    const { route, events } = batch;
    const { batch: request, count } = events;
    this.#congestion.succeeded();
    this.#counts.bytes += request.bytes;
    this.#counts.wireBytes += wireBytes;
    const stored = rejections.size === 0 ? [] : events.storedEvents();
    const rejected = [...rejections].filter(([index]) => stored[index]);
    if (rejected.length === 0) ledger.deliver(events.totals);
    else ledger.deliver(totalsOf(stored.filter((_, index) => !rejections.has(index))));
    for (const [index, reason] of rejected) ledger.lose([stored[index] as StoredEvent], { reason, rejected: true });
    this.#settle(batch, 'accepted');
    this.routes.finish(batch, 'works');
    reporter.publish('delivered', () => {
      const durationMs = clock.monotonic() - snapshot.atMs;
      return { route, events: count - rejected.length, bytes: request.bytes, wireBytes, durationMs, requestId };
    });
    for (const fault of faults) reporter.failed(fault, fault.message);
    if (!batch.hasFailed) events.recycle();
  }

  #failed(batch: PendingBatch, failure: DeliveryError, snapshot: RequestSnapshot): void {
    const { clock, options, random, reporter } = this.#dependencies;
    const { route } = batch;
    const nowMs = clock.monotonic();
    if (failure.code === 'INVALID') batch.bisection ??= new Bisection(batch.events.count);
    const error = failure.code === 'INVALID' && batch.bisection ? batch.bisection.refused(failure) : failure;
    this.#congestion.failed(error.code, snapshot, this.routes.size);
    batch.hasFailed = true;
    batch.events.forgetCopies();
    if (error.ambiguous) this.#counts.ambiguous++;
    reporter.publish('error', () => ({ route, error }));
    const decision = decide(error, batch.repeated, options.retry, random);
    // A destination that learned something has not failed.
    if (decision.next !== 'repeat') {
      this.#counts.lastError = { code: error.code, message: error.message, time: clock.now() };
      reporter.failed(error);
    }
    if (decision.next === 'retry') {
      this.#retry(batch, error.code, decision, nowMs);
      for (const blameless of batch.bisection?.takeBlameless() ?? []) {
        this.routes.remove(blameless);
        this.#retry(blameless, error.code, decision, nowMs);
      }
      this.routes.finish(batch, 'fails');
      return;
    }
    if (decision.next === 'repeat') {
      batch.repeated = true;
      this.#countRetry(batch, error.code, 0);
      this.routes.putBack(batch);
    } else if (batch.events.count > 1) this.#halve(batch, error.code);
    else if (decision.reason === 'invalid' && batch.bisection) this.#suspect(batch, batch.bisection);
    else this.#lose(batch, decision.reason);
    this.routes.finish(batch, 'unknown');
  }

  /** Backs off until the next attempt, if there can be one. */
  #retry(batch: PendingBatch, code: DeliveryCode, decision: RetryDecision, nowMs: number): void {
    const { route } = batch;
    const outage = this.#congestion.outageFailures(this.routes.size);
    const failures = { batch: batch.failures, route: this.routes.failuresOf(route), outage };
    const remainingMs = this.#deadlineMs - nowMs;
    const { batchMs, routeMs, destinationMs } = planRetry(decision, failures, remainingMs);
    if (routeMs > 0) this.routes.pause(route, nowMs + routeMs);
    if (destinationMs > 0) this.#congestion.pause(nowMs + destinationMs);
    if (nowMs >= this.#expiresAtMs(batch)) this.#lose(batch, 'expired');
    else if (batchMs > remainingMs) this.#lose(batch, 'undeliverable');
    else {
      this.#countRetry(batch, code, batchMs);
      batch.failures++;
      batch.repeated = false;
      batch.retryAfterUntilMs = nowMs + decision.retryAfterMs;
      this.routes.backOff(batch, nowMs + batchMs);
    }
  }

  /** Parks a single record that was refused. It is bad if the service accepts others of its batch. */
  #suspect(batch: PendingBatch, bisection: Bisection<PendingBatch>): void {
    bisection.suspect(batch);
    this.routes.park(batch);
    this.#dropBad(bisection);
  }

  #dropBad(bisection: Bisection<PendingBatch>): void {
    for (const batch of bisection.takeBad()) {
      this.routes.remove(batch);
      this.#lose(batch, 'invalid');
    }
  }

  #halve(batch: PendingBatch, code: DeliveryCode): void {
    const halves = batch.halves();
    this.#countRetry(batch, code, 0);
    batch.state = 'settled';
    batch.bisection?.halved();
    this.#dependencies.backlog.replace(batch, halves);
    for (const half of halves) this.routes.putBack(half);
  }

  #expiresAtMs({ acceptedAtMs }: PendingBatch): number {
    return acceptedAtMs + this.#dependencies.options.retry.maxAgeMs;
  }

  #countRetry({ route, events: { count } }: PendingBatch, code: DeliveryCode, delayMs: number): void {
    const { retries } = this.#counts;
    retries[code] = (retries[code] ?? 0) + 1;
    this.#dependencies.reporter.publish('retry', () => ({ route, code, events: count, delayMs }));
  }

  #lose(batch: PendingBatch, reason: DropReason): void {
    const { events, state } = batch;
    this.#dependencies.ledger.lose(events.storedEvents(), { reason, rejected: false });
    this.#settle(batch);
    if (state !== 'in-flight') events.clear();
  }

  #settle(batch: PendingBatch, result: 'accepted' | 'lost' = 'lost'): void {
    const { bisection } = batch;
    batch.state = 'settled';
    this.#dependencies.backlog.remove(batch);
    if (!bisection) return;
    bisection.settled(batch);
    if (result === 'accepted') bisection.accepted();
    this.#dropBad(bisection);
  }
}
