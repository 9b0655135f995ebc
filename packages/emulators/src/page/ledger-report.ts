/** The counters of a destination that the page shows: those of `stats()`. */
export interface LedgerCounts {
  readonly received: number;
  readonly recovered: number;
  readonly delivered: number;
  readonly rejected: number;
  readonly spooled: number;
  readonly pending: number;
  readonly inFlight: number;
  readonly requests: number;
  readonly ambiguous: number;
  readonly bufferBytes: number;
  readonly bufferLimitBytes: number;
  readonly oldestAgeMs: number;
  /** Records by reason. */
  readonly dropped: Readonly<Record<string, number>>;
  /** Failed attempts by code. */
  readonly retries: Readonly<Record<string, number>>;
}

/** A message of a diagnostics channel, in words. */
export interface ReportedMessage {
  /** In epoch milliseconds. */
  readonly time: number;
  readonly kind: string;
  readonly destination: string;
  readonly text: string;
}

/** What a thread of an application posts each second. */
export interface LedgerReport {
  /** The same in all reports of the thread, and no other's. */
  readonly id: string;
  readonly pid: number;
  /** 0 for the main thread. */
  readonly threadId: number;
  /** Name of the script. */
  readonly title: string;
  readonly destinations: Readonly<Record<string, LedgerCounts>>;
  /** Those since the last report. */
  readonly messages: readonly ReportedMessage[];
}

const MAX_TEXT_LENGTH = 1000;
const MAX_ENTRIES = 200;

/**
 * Reads a report. The application may have another version of the package, so that unknown members are ignored and missing counters
 * are 0. Throws a TypeError for anything else.
 */
export function readLedgerReport(value: unknown): LedgerReport {
  const { id, pid, threadId, title, destinations, messages } = recordOf(value, 'a report');
  if (typeof id !== 'string' || id === '') throw new TypeError('expected the id of the thread');
  if (!Array.isArray(messages)) throw new TypeError('expected a list of messages');
  return {
    id: textOf(id),
    pid: countOf(pid),
    threadId: countOf(threadId),
    title: textOf(title),
    destinations: Object.fromEntries(
      entriesOf(destinations, 'destinations').map(([name, counts]) => [textOf(name), readCounts(counts)]),
    ),
    messages: messages.slice(-MAX_ENTRIES).map((message) => {
      const { time, kind, destination, text } = recordOf(message, 'a message');
      return { time: countOf(time), kind: textOf(kind), destination: textOf(destination), text: textOf(text) };
    }),
  };
}

function readCounts(value: unknown): LedgerCounts {
  const counts = recordOf(value, 'counters');
  return {
    received: countOf(counts.received),
    recovered: countOf(counts.recovered),
    delivered: countOf(counts.delivered),
    rejected: countOf(counts.rejected),
    spooled: countOf(counts.spooled),
    pending: countOf(counts.pending),
    inFlight: countOf(counts.inFlight),
    requests: countOf(counts.requests),
    ambiguous: countOf(counts.ambiguous),
    bufferBytes: countOf(counts.bufferBytes),
    bufferLimitBytes: countOf(counts.bufferLimitBytes),
    oldestAgeMs: countOf(counts.oldestAgeMs),
    dropped: readTally(counts.dropped),
    retries: readTally(counts.retries),
  };
}

function readTally(value: unknown): Record<string, number> {
  const entries = entriesOf(value ?? {}, 'counts by name');
  return Object.fromEntries(
    entries.map(([name, count]): [string, number] => [textOf(name), countOf(count)]).filter(([, count]) => count > 0),
  );
}

function entriesOf(value: unknown, name: string): [string, unknown][] {
  return Object.entries(recordOf(value, name)).slice(0, MAX_ENTRIES);
}

function recordOf(value: unknown, name: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  throw new TypeError(`expected ${name}, an object`);
}

function countOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) ? value : 0;
}

function textOf(value: unknown): string {
  return String(value ?? '').slice(0, MAX_TEXT_LENGTH);
}
