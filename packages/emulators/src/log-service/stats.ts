import { FirstEntries, InFlight, type RequestCounters, Tally } from '../counters.js';

/** A request that broke a rule: it was refused, unless it is one of `tolerated`. */
export interface LogServiceViolation {
  /** Missing if the path names no logstore. */
  readonly logstore?: string;
  /** The error's code: `"PostBodyInvalid"`. */
  readonly error: string;
  /** The error's text and the exact fault: `"wrong data type: __logs__[3].level is of type number"`. */
  readonly message: string;
}

/** Counters since the start: a snapshot. */
export interface LogServiceStats {
  /** Requests, with or without a response. */
  readonly requests: number;
  /** The same by operation: `PutLogs`, `PutWebTracking`. `Unknown` counts requests of unsupported operations. */
  readonly operations: Readonly<Record<string, number>>;
  /** Accepted requests that write logs: those with HTTP 200, and those whose HTTP 200 `lostAck` dropped. */
  readonly accepted: number;
  readonly storedLogs: number;
  /** Bytes of all accepted bodies before compression. */
  readonly rawBytes: number;
  /** Bytes of all received request bodies: compressed, and including retries. */
  readonly wireBytes: number;
  /** Requests by `x-log-compresstype`: `lz4`, `deflate`, `zstd`, `none` (no header) and `Unknown` (any other value). */
  readonly compression: Readonly<Record<string, number>>;
  /** Injected faults by name, including `down` and `poison`. */
  readonly faults: Readonly<Record<string, number>>;
  /**
   * The first 100 violations. Not among them are injected faults, missing and existing resources, web tracking that is off,
   * keys and tokens that are not accepted, and a wrong clock.
   */
  readonly violations: readonly LogServiceViolation[];
  /** All violations, including those after the first 100. */
  readonly violationCount: number;
  /**
   * The first 100 departures from the documentation that the service accepts all the same, such as a missing `__source__`: with
   * the error that `strict: true` makes of them. A request has one entry at most for each error.
   */
  readonly tolerated: readonly LogServiceViolation[];
  /** All tolerated departures, including those after the first 100. */
  readonly toleratedCount: number;
  /** Refused requests by operation that the emulator does not have. With `strict: true` they are violations, too. */
  readonly unsupported: Readonly<Record<string, number>>;
  /** Most logs and most uncompressed bytes of an accepted request; the two may come from different requests. */
  readonly largestBatch: { readonly events: number; readonly bytes: number };
  /** Most valid requests that write logs in flight at once. A request is in flight from its full body to its response or disconnect. */
  readonly concurrent: { readonly perTopic: number; readonly overall: number };
}

/** The counters of an emulator. */
export interface Stats extends RequestCounters {
  received(operation: string, compression: string, bodyBytes: number): void;
  violated(violation: LogServiceViolation): void;
  tolerated(departure: LogServiceViolation): void;
  unsupported(operation: string): void;
  stored(batch: { readonly events: number; readonly bytes: number }): void;
  snapshot(): LogServiceStats;
}

/** Makes counters that start at 0. */
export function createStats(): Stats {
  const operations = new Tally();
  const compressions = new Tally();
  const faults = new Tally();
  const inFlight = new InFlight();
  const violations = new FirstEntries<LogServiceViolation>();
  const tolerated = new FirstEntries<LogServiceViolation>();
  const unsupported = new Tally();
  const largestBatch = { events: 0, bytes: 0 };
  const totals = { requests: 0, accepted: 0, storedLogs: 0, rawBytes: 0, wireBytes: 0 };

  return {
    received(operation, compression, bodyBytes) {
      totals.requests++;
      operations.add(operation);
      totals.wireBytes += bodyBytes;
      compressions.add(compression);
    },
    injected: (fault) => {
      faults.add(fault);
    },
    violated: (violation) => violations.add(violation),
    tolerated: (departure) => tolerated.add(departure),
    unsupported: (operation) => {
      unsupported.add(operation);
    },
    stored({ events, bytes }) {
      totals.accepted++;
      totals.storedLogs += events;
      totals.rawBytes += bytes;
      largestBatch.events = Math.max(largestBatch.events, events);
      largestBatch.bytes = Math.max(largestBatch.bytes, bytes);
    },
    enter: (topic) => inFlight.enter(topic),
    snapshot: () => ({
      ...totals,
      operations: operations.toRecord(),
      compression: compressions.toRecord(),
      faults: faults.toRecord(),
      violations: violations.toArray(),
      violationCount: violations.count,
      tolerated: tolerated.toArray(),
      toleratedCount: tolerated.count,
      unsupported: unsupported.toRecord(),
      largestBatch: { ...largestBatch },
      concurrent: { perTopic: inFlight.mostPerKey, overall: inFlight.mostOverall },
    }),
  };
}
