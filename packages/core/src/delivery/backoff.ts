import type { PendingBatch } from '../batch/pending-batch.js';
import type { DeliveryCode } from '../contract/errors.js';
import type { CongestionControl } from './congestion.js';
import type { Refusals, Verdict } from './refusals.js';
import { planRetry, type RetryDecision } from './retry-policy.js';
import type { RouteScheduler } from './route-scheduler.js';
import type { Settlement } from './settlement.js';

/** What a backoff may concern. */
interface Concerned {
  readonly routes: RouteScheduler;
  readonly congestion: CongestionControl;
  readonly refusals: Refusals;
  readonly settlement: Settlement;
}

/** Lets a batch that failed wait for its next attempt, and with it its route or all, or gives it up. */
export class Backoff {
  /** `close()` gives up then, on the monotonic clock. */
  deadlineMs: number = Number.POSITIVE_INFINITY;
  readonly #maxAgeMs: number;
  readonly #concerned: Concerned;

  constructor(maxAgeMs: number, concerned: Concerned) {
    this.#maxAgeMs = maxAgeMs;
    this.#concerned = concerned;
  }

  /** Time when a batch is too old, on the monotonic clock. */
  expiresAtMs({ agesFromMs }: PendingBatch): number {
    return agesFromMs + this.#maxAgeMs;
  }

  /** Begins the wait, if there can be another attempt after it. Other batches pass one that was refused. */
  begin(
    batch: PendingBatch,
    code: DeliveryCode,
    decision: RetryDecision,
    verdict: Verdict | undefined,
    nowMs: number,
  ): void {
    const { routes, congestion, refusals, settlement } = this.#concerned;
    const { route, lane } = batch;
    const failures = {
      batch: batch.failures.of(code),
      route: routes.stateOf(lane).failures.of(code),
      outage: congestion.outageFailures(routes.size, code),
    };
    const remainingMs = this.deadlineMs - nowMs;
    const ageLeftMs = this.expiresAtMs(batch) - nowMs;
    const plan = planRetry(decision, {
      failures,
      isRefusedAlike: verdict === 'setting',
      remainingMs,
      ageLeftMs,
      wasTriedInSpite: batch.wasTriedInSpite,
    });
    if (plan.routeMs > 0 && (verdict === undefined || verdict === 'setting')) routes.pause(lane, nowMs + plan.routeMs);
    if (plan.destinationMs > 0) congestion.pause(nowMs + plan.destinationMs);
    if (plan.askedMs > 0) {
      routes.pause(lane, nowMs + plan.askedMs, true);
      congestion.asked(route, nowMs + plan.askedMs, nowMs);
    }
    if (ageLeftMs <= 0) settlement.lose(batch, 'expired');
    else if (plan.batchMs > remainingMs && verdict === undefined) settlement.lose(batch, 'undeliverable');
    else {
      settlement.retry(batch, code, plan.batchMs);
      batch.failures.add(code);
      batch.repeated = false;
      batch.wasTriedInSpite ||= plan.isInSpite;
      batch.askedUntilMs = nowMs + plan.askedMs;
      routes.backOff(batch, nowMs + plan.batchMs, verdict === undefined ? 'backing-off' : 'suspect');
      if (verdict !== undefined) refusals.suspect(batch);
    }
  }
}
