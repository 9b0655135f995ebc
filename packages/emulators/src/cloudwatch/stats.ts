import { InFlight, KEPT_VIOLATIONS, Tally } from '../counters.js';

/** A request that broke a rule of the service. */
export interface CloudWatchViolation {
  readonly operation: string;
  /** The error's name: `"InvalidParameterException"`. */
  readonly error: string;
  readonly message: string;
}

/** Counters since the start. Each call of `stats()` takes a new snapshot. */
export interface CloudWatchStats {
  /** Requests by operation, answered or not. `Unknown` counts those of no known operation. */
  readonly requests: Readonly<Record<string, number>>;
  /** PutLogEvents requests that were accepted: answered with HTTP 200, or that answer lost by `lostAck`. */
  readonly acceptedPuts: number;
  readonly storedEvents: number;
  /** Bytes of the stored events as the service counts them: UTF-8 bytes of the message, and 26. */
  readonly storedBytes: number;
  /** Bytes of all request bodies as received, so after compression and with every retry. */
  readonly wireBytes: number;
  /** Injected faults by name, with `down` and `poison`. */
  readonly faults: Readonly<Record<string, number>>;
  /** The first 100 requests that broke a rule of the service. Injected faults and missing or existing resources are none. */
  readonly violations: readonly CloudWatchViolation[];
  readonly violationCount: number;
  /** Most events and most bytes in one accepted batch; the two may be of different batches. */
  readonly largestBatch: { readonly events: number; readonly bytes: number };
  /** Most PutLogEvents in flight at once, from the arrival of the body to the answer or the end of the connection. */
  readonly concurrent: { readonly perStream: number; readonly overall: number };
}

interface StoredBatch {
  /** Events in the request, rejected ones too. */
  readonly events: number;
  readonly bytes: number;
  readonly storedEvents: number;
  readonly storedBytes: number;
}

export interface Stats {
  received(operation: string, bodyBytes: number): void;
  injected(fault: string): void;
  violated(violation: CloudWatchViolation): void;
  stored(batch: StoredBatch): void;
  /** A PutLogEvents begins; returns what ends it, which may be called more than once. */
  enter(stream: string): () => void;
  snapshot(): CloudWatchStats;
}

export function createStats(): Stats {
  const requests = new Tally();
  const faults = new Tally();
  const inFlight = new InFlight();
  const violations: CloudWatchViolation[] = [];
  const largestBatch = { events: 0, bytes: 0 };
  const totals = { acceptedPuts: 0, storedEvents: 0, storedBytes: 0, wireBytes: 0, violationCount: 0 };

  return {
    received(operation, bodyBytes) {
      requests.add(operation);
      totals.wireBytes += bodyBytes;
    },
    injected: (fault) => {
      faults.add(fault);
    },
    violated(violation) {
      totals.violationCount++;
      if (violations.length < KEPT_VIOLATIONS) violations.push(violation);
    },
    stored({ events, bytes, storedEvents, storedBytes }) {
      totals.acceptedPuts++;
      totals.storedEvents += storedEvents;
      totals.storedBytes += storedBytes;
      largestBatch.events = Math.max(largestBatch.events, events);
      largestBatch.bytes = Math.max(largestBatch.bytes, bytes);
    },
    enter: (stream) => inFlight.enter(stream),
    snapshot: () => ({
      ...totals,
      requests: requests.toRecord(),
      faults: faults.toRecord(),
      violations: [...violations],
      largestBatch: { ...largestBatch },
      concurrent: { perStream: inFlight.mostPerKey, overall: inFlight.mostOverall },
    }),
  };
}
