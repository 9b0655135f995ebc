import type { ClientKind, Scenario, Timeline } from './fleet.js';

type Fleet = Pick<Scenario, 'processes' | 'intervalMs' | 'quotaPerSecond' | 'outage'>;

/** The defaults of CloudWatch Logs for PutLogEvents: 5,000 requests a second in most regions. A tenth of it is a quota that is too small. */
const QUOTA_PER_SECOND = 5000;

export const fleets = {
  ample: { processes: 1000, intervalMs: 1000, quotaPerSecond: QUOTA_PER_SECOND, outage: 'unavailable' },
  scarce: { processes: 1000, intervalMs: 1000, quotaPerSecond: QUOTA_PER_SECOND / 10, outage: 'refused' },
  large: { processes: 10_000, intervalMs: 10_000, quotaPerSecond: QUOTA_PER_SECOND, outage: 'unavailable' },
  hanging: { processes: 1000, intervalMs: 1000, quotaPerSecond: QUOTA_PER_SECOND, outage: 'hangs' },
} as const satisfies Record<string, Fleet>;

/** Half a second off the records, so that the outage and the deploy meet batches that are open. */
const long: Timeline = {
  steadyMs: 120_500,
  outageMs: 600_000,
  recoveryMs: 240_000,
  deployedMs: 120_000,
  drainMs: 60_000,
};

export const short: Timeline = {
  steadyMs: 40_500,
  outageMs: 90_000,
  recoveryMs: 90_000,
  deployedMs: 40_000,
  drainMs: 30_000,
};

export function scenarioOf(fleet: Fleet, client: ClientKind, timeline: Timeline = long, seed = 1): Scenario {
  return { ...fleet, client, timeline, seed };
}
