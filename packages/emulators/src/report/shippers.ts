import type { LedgerCounts } from '../page/ledger-report.js';

/** The registry of shippers that `@logferry/core` keeps for all copies of itself in the thread. */
interface Registry {
  readonly listings: Iterable<{ readonly destination: string; readonly stats: LedgerCounts | undefined }>;
  /** Sums of the shippers that are gone. */
  readonly gone: Iterable<readonly [destination: string, stats: LedgerCounts]>;
}

const REGISTRY = Symbol.for('logferry.shippers');

/** Reads the counters of all shippers in this thread, added up by destination; none before the first transport is made. */
export function readShippers(): Record<string, LedgerCounts> {
  const registry = (globalThis as { [REGISTRY]?: Registry })[REGISTRY];
  const sums = new Map<string, LedgerCounts>();
  const add = (destination: string, stats: LedgerCounts | undefined): void => {
    if (stats) sums.set(destination, sumOf(sums.get(destination) ?? NOTHING, stats));
  };
  for (const [destination, stats] of registry?.gone ?? []) add(destination, stats);
  for (const { destination, stats } of registry?.listings ?? []) add(destination, stats);
  return Object.fromEntries(sums);
}

const NOTHING: LedgerCounts = {
  received: 0,
  recovered: 0,
  delivered: 0,
  rejected: 0,
  spooled: 0,
  pending: 0,
  inFlight: 0,
  requests: 0,
  ambiguous: 0,
  bufferBytes: 0,
  bufferLimitBytes: 0,
  oldestAgeMs: 0,
  dropped: {},
  retries: {},
};

/** Adds up the counters that the page shows. Of ages the highest counts. */
function sumOf(a: LedgerCounts, b: LedgerCounts): LedgerCounts {
  const entries = Object.entries(a).map(([name, value]) => {
    const other = (b as unknown as Readonly<Record<string, unknown>>)[name];
    return [name, typeof value === 'number' ? value + Number(other ?? 0) : tallySum(value, other)];
  });
  return { ...Object.fromEntries(entries), oldestAgeMs: Math.max(a.oldestAgeMs, b.oldestAgeMs) };
}

function tallySum(a: Readonly<Record<string, number>>, b: unknown): Record<string, number> {
  const sum: Record<string, number> = { ...a };
  for (const [name, count] of Object.entries(Object(b) as Record<string, number>)) sum[name] = (sum[name] ?? 0) + count;
  return sum;
}
