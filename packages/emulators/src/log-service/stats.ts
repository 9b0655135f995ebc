import { InFlight, KEPT_VIOLATIONS, Tally } from '../counters.js';

/** A request that broke a rule of the service. */
export interface LogServiceViolation {
  /** Missing when the path names none. */
  readonly logstore?: string;
  /** The error's code: `"PostBodyInvalid"`. */
  readonly error: string;
  /** The error's text, and what exactly was wrong: `"wrong data type: __logs__[3].level is of type number"`. */
  readonly message: string;
}

/** Counters since the start. Each call of `stats()` takes a new snapshot. */
export interface LogServiceStats {
  /** Requests, answered or not. */
  readonly requests: number;
  /** Requests that were accepted: answered with HTTP 200, or that answer lost by `lostAck`. */
  readonly accepted: number;
  readonly storedLogs: number;
  /** Bytes of all accepted bodies before compression. */
  readonly rawBytes: number;
  /** Bytes of all request bodies as received, so after compression and with every retry. */
  readonly wireBytes: number;
  /** Requests by `x-log-compresstype`: `lz4`, `deflate`, `none` without the header, `Unknown` for others. */
  readonly compression: Readonly<Record<string, number>>;
  /** Injected faults by name, with `down` and `poison`. */
  readonly faults: Readonly<Record<string, number>>;
  /** The first 100 requests that broke a rule of the service. Injected faults, 404 and web tracking switched off are none. */
  readonly violations: readonly LogServiceViolation[];
  readonly violationCount: number;
  /** Most logs and most bytes before compression in one accepted request; the two may be of different requests. */
  readonly largestBatch: { readonly events: number; readonly bytes: number };
  /** Most requests in flight at once, from the arrival of the body to the answer or the end of the connection. */
  readonly concurrent: { readonly perTopic: number; readonly overall: number };
}

export interface Stats {
  received(compression: string, bodyBytes: number): void;
  injected(fault: string): void;
  violated(violation: LogServiceViolation): void;
  stored(batch: { readonly events: number; readonly bytes: number }): void;
  /** A request of sound logs begins; returns what ends it, which may be called more than once. */
  enter(topic: string): () => void;
  snapshot(): LogServiceStats;
}

export function createStats(): Stats {
  const compressions = new Tally();
  const faults = new Tally();
  const inFlight = new InFlight();
  const violations: LogServiceViolation[] = [];
  const largestBatch = { events: 0, bytes: 0 };
  const totals = { requests: 0, accepted: 0, storedLogs: 0, rawBytes: 0, wireBytes: 0, violationCount: 0 };

  return {
    received(compression, bodyBytes) {
      totals.requests++;
      totals.wireBytes += bodyBytes;
      compressions.add(compression);
    },
    injected: (fault) => {
      faults.add(fault);
    },
    violated(violation) {
      totals.violationCount++;
      if (violations.length < KEPT_VIOLATIONS) violations.push(violation);
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
      compression: compressions.toRecord(),
      faults: faults.toRecord(),
      violations: [...violations],
      largestBatch: { ...largestBatch },
      concurrent: { perTopic: inFlight.mostPerKey, overall: inFlight.mostOverall },
    }),
  };
}
