import { targetOf } from '../accounting/description.js';
import { Incidents } from '../accounting/incidents.js';
import type { Ledger } from '../accounting/ledger.js';
import type { Reporter } from '../accounting/reporter.js';
import { type AttemptCounts, type DeliveryStats, noAttempts } from '../accounting/stats.js';
import type { Backlog } from '../batch/backlog.js';
import type { LiveRoutes } from '../batch/live-routes.js';
import type { PendingBatch } from '../batch/pending-batch.js';
import type { Clock } from '../contract/clock.js';
import type { Destination } from '../contract/destination.js';
import { type DeliveryCode, DeliveryError } from '../contract/errors.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import type { Spool } from '../spool/spool.js';
import { inBackground } from '../tools/guarded.js';
import { attempt, prepare, type Stored } from './attempt.js';
import { Backoff } from './backoff.js';
import { CongestionControl, type RequestSnapshot, type SendCapacity } from './congestion.js';
import { blamedOnSetting, isRefusal, Refusals, type Verdict } from './refusals.js';
import { decide } from './retry-policy.js';
import { RouteScheduler } from './route-scheduler.js';
import { Settlement } from './settlement.js';
import { SizeLimit } from './size-limit.js';
import { Standstill } from './standstill.js';

interface Dependencies {
  readonly destination: Destination;
  readonly options: ResolvedDeliveryOptions;
  readonly backlog: Backlog;
  readonly liveRoutes: LiveRoutes;
  readonly ledger: Ledger;
  readonly reporter: Reporter;
  readonly clock: Clock;
  readonly random: () => number;
  readonly spool: Spool | undefined;
  /** Whether memory is scarce. */
  readonly isScarce: () => boolean;
  /** Called after every response. */
  readonly onAnswered: () => void;
}

/** Sends sealed batches: they wait for a slot, are tried, back off, are halved. The only retry loop. */
export class Delivery {
  readonly routes: RouteScheduler;
  readonly #dependencies: Dependencies;
  readonly #congestion: CongestionControl;
  readonly #refusals = new Refusals();
  readonly #sizes: SizeLimit;
  /** In the order of sending. */
  readonly #inFlight = new Map<PendingBatch, { readonly controller: AbortController; readonly atMs: number }>();
  readonly #standstill = new Standstill();
  readonly #counts = noAttempts();
  /** The error of the last attempt, if that failed: it explains the loss of batches that had no attempt. */
  #failure: DeliveryError | undefined;
  readonly #settlement: Settlement;
  readonly #backoff: Backoff;
  readonly #incidents: Incidents;
  #isPrepared = false;

  constructor(dependencies: Dependencies) {
    const { destination, backlog, reporter, clock } = dependencies;
    const { concurrency, requestTimeoutMs, retry } = dependencies.options;
    const routes = new RouteScheduler(dependencies);
    const congestion = new CongestionControl(concurrency);
    const incidents = new Incidents({
      reporter,
      clock,
      waitingRoutes: () => new Set([...backlog].map(({ route }) => route)),
      targetOf: (route) => targetOf(destination, route),
    });
    const settlement = new Settlement({ ...dependencies, incidents }, this.#counts);
    this.#dependencies = dependencies;
    this.routes = routes;
    this.#sizes = new SizeLimit(requestTimeoutMs);
    this.#congestion = congestion;
    this.#incidents = incidents;
    this.#settlement = settlement;
    this.#backoff = new Backoff(retry.maxAgeMs, { routes, congestion, refusals: this.#refusals, settlement });
  }

  enqueue(batch: PendingBatch): void {
    if (!this.routes.push(batch)) this.#dependencies.backlog.remove(batch);
  }

  /**
   * Has to be called when this thread goes on after a wait. The time of a standstill is no part of the age of records: no attempt could
   * be made.
   */
  resume(nowMs: number): void {
    const stillMs = this.#standstill.notice(nowMs);
    if (stillMs === 0) return;
    for (const batch of this.#dependencies.backlog) if (batch.agesFromMs <= nowMs - stillMs) batch.stillMs += stillMs;
  }

  /** The next call of {@link resume} comes at `wakeAtMs`. Returns an earlier time if a standstill could not be noticed then. */
  expectWake(wakeAtMs: number, nowMs: number): number {
    if (this.#dependencies.backlog.size > 0) return this.#standstill.expect(wakeAtMs, nowMs);
    this.#standstill.expectNothing();
    return wakeAtMs;
  }

  /** Starts as many attempts as may run now. */
  dispatch(nowMs: number): void {
    if (this.isJoining && this.#dependencies.isScarce()) this.routes.endJoining();
    for (;;) {
      const capacity = this.#capacity;
      if (this.#inFlight.size >= capacity.slots || nowMs < capacity.notBeforeMs) return;
      const batch = this.routes.takeNext(nowMs, capacity);
      if (!batch) return;
      inBackground(this.#attempt(this.#fit(batch, nowMs), nowMs));
    }
  }

  /** Lets the destination load, while the first records wait for their batch, what a request needs. */
  prepare(): void {
    const { backlog, destination } = this.#dependencies;
    if (this.#isPrepared || backlog.size === 0) return;
    this.#isPrepared = true;
    if (this.#inFlight.size === 0) inBackground(prepare(destination));
  }

  /** Drops batches older than `retry.maxAgeMs` on failing routes. On healthy routes their turn will come. */
  expire(nowMs: number): void {
    const { isOutage } = this.#capacity;
    for (const batches of this.#dependencies.backlog.lists) {
      for (const batch of batches) {
        if (this.#backoff.expiresAtMs(batch) > nowMs) break;
        const waits = batch.state === 'ready' || batch.state === 'backing-off' || batch.state === 'suspect';
        if (!waits || !(isOutage || this.routes.stateOf(batch.lane).failures.total > 0)) continue;
        this.routes.remove(batch);
        this.#settlement.lose(batch, 'expired', batch.lastError ?? this.#failure);
      }
    }
  }

  /** Time of the next dispatch or expiry, on the monotonic clock. */
  wakeAtMs(nowMs: number): number {
    const capacity = this.#capacity;
    const hasSlot = this.#inFlight.size < capacity.slots;
    let wakeAtMs = hasSlot
      ? Math.max(this.routes.wakeAtMs(capacity, nowMs), capacity.notBeforeMs)
      : Number.POSITIVE_INFINITY;
    for (const batches of this.#dependencies.backlog.lists) {
      for (const batch of batches) {
        const expiresAtMs = this.#backoff.expiresAtMs(batch);
        wakeAtMs = Math.min(wakeAtMs, expiresAtMs > nowMs ? expiresAtMs : Number.POSITIVE_INFINITY);
        // `expire` has handled older batches.
        if (expiresAtMs > nowMs) break;
      }
    }
    return wakeAtMs;
  }

  /** Ends every backoff, for a flush of the events up to `lastSeq`. A batch that fails again backs off from the start. */
  wake(lastSeq: number): void {
    for (const batch of this.#dependencies.backlog) {
      batch.failures.end();
      batch.askedUntilMs = 0;
    }
    this.routes.wake(lastSeq, this.#dependencies.clock.monotonic());
    this.#congestion.wake();
  }

  /** Drops batches whose next attempt would come after the deadline, from now on. */
  setDeadline(deadlineMs: number): void {
    this.#backoff.deadlineMs = deadlineMs;
    const nowMs = this.#dependencies.clock.monotonic();
    // The wake-up that follows is their one try.
    for (const batch of this.#dependencies.backlog) if (batch.askedUntilMs > nowMs) batch.wasTriedInSpite = true;
  }

  /** Leaves all batches that are left on disk, or drops them: for their failures, or for the given reason. */
  abandon(cause: Error): void {
    for (const batch of this.#dependencies.backlog) {
      if (batch.state === 'settled') continue;
      if (batch.state === 'in-flight') {
        this.#counts.ambiguous++;
        this.routes.finish(batch, 'unknown');
      } else this.routes.remove(batch);
      this.#settlement.lose(batch, 'undeliverable', batch.lastError ?? this.#failure ?? cause);
    }
    for (const { controller } of this.#inFlight.values()) controller.abort();
    this.#inFlight.clear();
    this.#incidents.end();
  }

  /** Takes out a waiting batch whose events were all evicted. */
  discard(batch: PendingBatch): void {
    this.routes.remove(batch);
    this.#settlement.settle(batch);
  }

  /** Whether the last response was a success. */
  get isHealthy(): boolean {
    return this.#congestion.isHealthy;
  }

  /** Whether the last response was a failure, which nothing but a success ends. */
  get isFailing(): boolean {
    return this.#congestion.isFailing;
  }

  /** Whether batches wait for others to join them. */
  get isJoining(): boolean {
    return this.routes.isJoining;
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
    const [oldest] = this.#inFlight.values();
    return this.#congestion.capacity(this.routes.size, this.#inFlight.size, oldest?.atMs ?? Number.POSITIVE_INFINITY);
  }

  async #attempt(batch: PendingBatch, atMs: number): Promise<void> {
    const { destination, options, clock, spool, onAnswered } = this.#dependencies;
    const controller = new AbortController();
    const isFirst = !batch.wasAttempted;
    batch.sentAtMs = atMs;
    this.#inFlight.set(batch, { controller, atMs });
    this.#counts.requests++;
    const snapshot = this.#congestion.sent(batch.route, this.routes.stateOf(batch.lane).isProven, atMs);
    const { requestTimeoutMs } = options;
    const stillBeforeMs = this.#standstill.totalMs;
    if (spool) {
      await spool.beforeSend();
      // It was abandoned meanwhile: nothing was sent.
      if (batch.state === 'settled') return;
      if (isFirst) spool.markSent(batch.events.ids);
    }
    const result = await attempt(destination, () => batch.events.batch, controller, { requestTimeoutMs, clock });
    // It was abandoned meanwhile.
    if (batch.state === 'settled') return;
    this.#inFlight.delete(batch);
    this.resume(clock.monotonic());
    if (DeliveryError.is(result)) {
      const stillMs = this.#standstill.totalMs - stillBeforeMs;
      const isCutShort = stillMs > 0 && clock.monotonic() - atMs - stillMs < requestTimeoutMs;
      this.#failed(batch, isCutShort ? afterStandstill(result, stillMs) : result, snapshot);
    } else this.#succeeded(batch, result, snapshot);
    onAnswered();
  }

  #succeeded(batch: PendingBatch, stored: Stored, { atMs }: RequestSnapshot): void {
    const { clock } = this.#dependencies;
    const state = this.routes.stateOf(batch.lane);
    if (this.#capacity.isOutage) this.routes.outageEnded(atMs, clock.monotonic());
    this.#congestion.succeeded();
    this.#incidents.succeeded(batch.route);
    this.#failure = undefined;
    const delivered = this.#settlement.deliver(batch, stored, () => clock.monotonic() - atMs);
    this.routes.finish(batch, 'works', clock.monotonic());
    if (!batch.lastError) batch.events.recycle();
    if (delivered === 0) return;
    this.#refusals.taken(batch.events, state);
    this.#sizes.taken(batch.events.bytes, clock.monotonic() - atMs);
    for (const suspect of this.#refusals.takeProven((lane) => this.routes.stateOf(lane))) this.routes.ready(suspect);
  }

  #failed(batch: PendingBatch, failure: DeliveryError, snapshot: RequestSnapshot): void {
    const { clock, options, random, reporter } = this.#dependencies;
    const { route, lane } = batch;
    const refusal = isRefusal(failure.code)
      ? this.#refusals.judge(batch, failure.code, this.routes.stateOf(lane), this.routes.active)
      : undefined;
    const blamed = refusal === undefined ? failure : blamedOnSetting(failure);
    const error = refusal === 'setting' || refusal === 'alone' ? blamed : failure;
    const decision = decide(blamed, batch.repeated, options.retry, random);
    // A destination that learned something, or refuses some content, has not failed.
    const isFailing = decision !== 'repeat' && (refusal === undefined || refusal === 'setting');
    if (isFailing) this.#congestion.failed(error.code, snapshot, this.routes.size, refusal === 'setting');
    else this.#congestion.refused(snapshot);
    if (failure.code === 'THROTTLED') this.routes.throttled(lane, snapshot.atMs, clock.monotonic());
    this.#learnSize(batch, failure.code, refusal);
    batch.lastError = error;
    batch.events.forgetCopies();
    if (error.ambiguous) this.#counts.ambiguous++;
    reporter.publish('error', () => ({ route, error }));
    if (decision !== 'repeat') {
      this.#failure = error;
      this.#counts.lastError = { code: error.code, message: error.message, time: clock.now() };
    }
    // The end of a search among refused records is a loss, or a setting: that is told, and no step on the way.
    if (isFailing) this.#incidents.failed(route, error);
    else if (refusal === 'alone') reporter.failed(error);
    if (refusal === 'several') {
      this.#settlement.retry(batch, error.code, 0);
      for (const half of this.#halve(batch)) this.routes.putBack(half);
    } else if (refusal === 'bad') {
      this.#settlement.lose(batch, failure.code === 'INVALID' ? 'invalid' : 'too-large');
    } else if (decision === 'repeat') {
      batch.repeated = true;
      this.#settlement.retry(batch, error.code, 0);
      this.routes.putBack(batch);
    } else {
      this.#backoff.begin(batch, error.code, decision, refusal, clock.monotonic());
    }
    this.routes.finish(batch, isFailing ? error.code : 'unknown');
    this.#endSearch();
  }

  /** Before the deadline of `close()` suspects wait only while other batches may prove that they are bad. */
  #endSearch(): void {
    if (this.#backoff.deadlineMs === Number.POSITIVE_INFINITY) return;
    for (const batch of this.#dependencies.backlog) if (batch.state !== 'suspect') return;
    for (const batch of this.#refusals.takeSuspects()) {
      this.routes.remove(batch);
      this.#settlement.lose(batch, 'undeliverable');
    }
  }

  #learnSize({ events: { count, bytes } }: PendingBatch, code: DeliveryCode, refusal: Verdict | undefined): void {
    if (refusal === 'setting') this.#sizes.forget();
    else if (count === 1) return;
    else if (code === 'TOO_LARGE') this.#sizes.refused(bytes, this.#dependencies.clock.monotonic());
    else if (code === 'TIMEOUT') this.#sizes.timedOut(bytes);
  }

  /** Has a batch that was taken joined by those behind it, or cuts it, to the size that the destination probably takes. */
  #fit(batch: PendingBatch, nowMs: number): PendingBatch {
    const { backlog, options } = this.#dependencies;
    const maxBytes = this.#sizes.maxBytesOf(batch.events.bytes, nowMs);
    if (!batch.wasAttempted) {
      const limits = { ...options.limits, maxBytes: Math.min(options.limits.maxBytes, maxBytes) };
      for (const follower of this.routes.joinFollowers(batch, limits)) backlog.remove(follower);
    }
    let part = batch;
    while (part.events.count > 1 && part.events.bytes > maxBytes) {
      const [first, second] = this.#halve(part);
      this.routes.replace(part, first);
      this.routes.putBack(second);
      part = first;
    }
    return part;
  }

  #halve(batch: PendingBatch): readonly [PendingBatch, PendingBatch] {
    const halves = batch.halves();
    batch.state = 'settled';
    this.#dependencies.backlog.replace(batch, halves);
    return halves;
  }
}

/** While this thread stood still the service may have responded, and closed the connection: that is no failure of it. */
function afterStandstill(error: DeliveryError, stillMs: number): DeliveryError {
  const { code, message, cause, ambiguous } = error;
  if (code !== 'TIMEOUT' && code !== 'NETWORK') return error;
  const text = `${message} (the process stood still for ${Math.round(stillMs)} ms meanwhile)`;
  return new DeliveryError('AGAIN', text, { cause, ambiguous });
}
