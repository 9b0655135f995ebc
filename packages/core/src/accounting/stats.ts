import { type DropReason, zeroByReason } from '../contract/destination.js';
import type { DeliveryCode } from '../contract/errors.js';
import type { LedgerTotals } from './ledger.js';

/** What a transport has on disk. */
export interface SpoolStats {
  /** Bytes of its segments. */
  readonly bytes: number;
  /** Number of its segments. */
  readonly segments: number;
  /** Records that were damaged on disk, which no other counter has. */
  readonly damaged: number;
}

export const NO_SPOOL: SpoolStats = { bytes: 0, segments: 0, damaged: 0 };

/** All counters of a shipper, since its start unless stated otherwise. Plain data. */
export interface DeliveryStats extends LedgerTotals {
  /** Records that the service refused one by one, by reason. */
  readonly rejectedByReason: Readonly<Record<DropReason, number>>;
  /**
   * Recovered records that were read back to be sent, and how many of them were in a request before: they may be duplicates.
   */
  readonly replayed: { readonly records: number; readonly ambiguous: number };
  /** The disk; all 0 without the option `spool`. */
  readonly spool: SpoolStats;
  /** Records that got the time now, since the service refuses events of their time. */
  readonly redated: number;
  /** Requests, repetitions included. */
  readonly requests: number;
  /** Bytes of the delivered batches, as the service counts them. */
  readonly bytes: number;
  /** Bytes of the request bodies that carried them. */
  readonly wireBytes: number;
  /** Failed attempts after which the batch goes again, whole or in halves, by code. */
  readonly retries: Readonly<Partial<Record<DeliveryCode, number>>>;
  /** Failed attempts after which the service may have stored the batch all the same: each can have made duplicates. */
  readonly ambiguous: number;
  /** The last failed attempt; `time` in epoch milliseconds. */
  readonly lastError: { readonly code: DeliveryCode; readonly message: string; readonly time: number } | undefined;
  /** Bytes of the budget in use now. */
  readonly bufferBytes: number;
  /**
   * Bytes of the budget: `maxBufferBytes`. With `thread: true` twice as many, since the records on their way to the worker have a
   * budget of their own.
   */
  readonly bufferLimitBytes: number;
  /** Age of the oldest pending record, in milliseconds; 0 when nothing is pending. */
  readonly oldestAgeMs: number;
  /** Requests in flight now. */
  readonly inFlight: number;
  /** Most requests in flight allowed now: fewer after throttling and timeouts, 1 in an outage. */
  readonly concurrency: number;
  /** Times that `onError` or `onDrop` threw, or rejected. */
  readonly callbackErrors: number;
}

/** The counters of attempts, for the delivery to change. */
export type AttemptCounts = {
  -readonly [Name in 'requests' | 'bytes' | 'wireBytes' | 'ambiguous' | 'lastError']: DeliveryStats[Name];
} & { readonly retries: Partial<Record<DeliveryCode, number>> };

export function noAttempts(): AttemptCounts {
  return { requests: 0, bytes: 0, wireBytes: 0, retries: {}, ambiguous: 0, lastError: undefined };
}

/** The counters of a shipper that has done nothing yet, by its options. */
export function emptyStats({ concurrency, maxBufferBytes }: StatsOptions): DeliveryStats {
  return {
    received: 0,
    recovered: 0,
    delivered: 0,
    rejected: 0,
    rejectedByReason: zeroByReason(),
    dropped: zeroByReason(),
    spooled: 0,
    pending: 0,
    replayed: { records: 0, ambiguous: 0 },
    spool: NO_SPOOL,
    redated: 0,
    ...noAttempts(),
    bufferBytes: 0,
    bufferLimitBytes: maxBufferBytes,
    oldestAgeMs: 0,
    inFlight: 0,
    concurrency,
    callbackErrors: 0,
  };
}

interface StatsOptions {
  readonly concurrency: number;
  readonly maxBufferBytes: number;
}

/** The counters of a shipper that is closed, or gone, and has nothing pending: 0 of what it uses and may use. */
export function withNothingInUse(stats: DeliveryStats): DeliveryStats {
  return { ...stats, ...NOTHING_IN_USE, spool: { ...NO_SPOOL, damaged: stats.spool.damaged } };
}

const NOTHING_IN_USE = {
  bufferBytes: 0,
  bufferLimitBytes: 0,
  oldestAgeMs: 0,
  inFlight: 0,
  concurrency: 0,
} satisfies Partial<DeliveryStats>;

/**
 * Adds up the counters of several shippers, at least one. Of ages the highest counts, of last errors the latest.
 *
 * @returns the counters as of one shipper
 */
export function sumStats([first, ...others]: readonly DeliveryStats[]): DeliveryStats {
  return others.reduce(
    (a, b) => ({
      ...(add(a, b) as DeliveryStats),
      oldestAgeMs: Math.max(a.oldestAgeMs, b.oldestAgeMs),
      lastError: (a.lastError?.time ?? 0) > (b.lastError?.time ?? 0) ? a.lastError : b.lastError,
    }),
    first as DeliveryStats,
  );
}

/** Adds up the totals of several shippers, at least one. */
export function sumTotals([first, ...others]: readonly LedgerTotals[]): LedgerTotals {
  return others.reduce((a, b) => add(a, b) as LedgerTotals, first as LedgerTotals);
}

/** Adds up numbers, and those of nested objects, by name. */
function add(a: object, b: object): object {
  const total: Record<string, unknown> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const other = total[name];
    if (typeof value === 'number') total[name] = value + (typeof other === 'number' ? other : 0);
    else if (typeof value === 'object') total[name] = add((other as object | undefined) ?? {}, value);
  }
  return total;
}
