import { FirstEntries, InFlight, type RequestCounters, Tally } from '../counters.js';

/** A request that broke a rule: it was refused, unless it is one of `tolerated`. */
export interface CloudWatchViolation {
  readonly operation: string;
  /** The error's name: `"InvalidParameterException"`. */
  readonly error: string;
  readonly message: string;
}

/** Counters since the start: a snapshot. */
export interface CloudWatchStats {
  /** Requests by operation, with or without a response. `Unknown` counts requests of unsupported operations. */
  readonly requests: Readonly<Record<string, number>>;
  /** Accepted PutLogEvents requests: those with HTTP 200, and those whose HTTP 200 `lostAck` dropped. */
  readonly acceptedPuts: number;
  readonly storedEvents: number;
  /** Bytes of the stored events as the service counts them: the UTF-8 bytes of each message plus 26. */
  readonly storedBytes: number;
  /** Bytes of all received request bodies: compressed, and including retries. */
  readonly wireBytes: number;
  /** Injected faults by name, including `down` and `poison`. */
  readonly faults: Readonly<Record<string, number>>;
  /** The first 100 violations. Injected faults and missing or existing resources are not violations. */
  readonly violations: readonly CloudWatchViolation[];
  /** All violations, including those after the first 100. */
  readonly violationCount: number;
  /**
   * The first 100 departures from the documentation that the service accepts all the same, such as a Content-Type that is not
   * signed: with the error that `strict: true` makes of them.
   */
  readonly tolerated: readonly CloudWatchViolation[];
  /** All tolerated departures, including those after the first 100. */
  readonly toleratedCount: number;
  /** Refused requests by operation that the emulator does not have. With `strict: true` they are violations, too. */
  readonly unsupported: Readonly<Record<string, number>>;
  /** Most events and most bytes of an accepted batch; the two may come from different batches. */
  readonly largestBatch: { readonly events: number; readonly bytes: number };
  /** Most PutLogEvents in flight at once. A request is in flight from its full body to its response or disconnect. */
  readonly concurrent: { readonly perStream: number; readonly overall: number };
}

interface StoredBatch {
  /** Events in the request, rejected ones too. */
  readonly events: number;
  readonly bytes: number;
  readonly storedEvents: number;
  readonly storedBytes: number;
}

/** The counters of an emulator. */
export interface Stats extends RequestCounters {
  received(operation: string, bodyBytes: number): void;
  violated(violation: CloudWatchViolation): void;
  tolerated(departure: CloudWatchViolation): void;
  unsupported(operation: string): void;
  stored(batch: StoredBatch): void;
  snapshot(): CloudWatchStats;
}

/** Makes counters that start at 0. */
export function createStats(): Stats {
  const requests = new Tally();
  const faults = new Tally();
  const inFlight = new InFlight();
  const violations = new FirstEntries<CloudWatchViolation>();
  const tolerated = new FirstEntries<CloudWatchViolation>();
  const unsupported = new Tally();
  const largestBatch = { events: 0, bytes: 0 };
  const totals = { acceptedPuts: 0, storedEvents: 0, storedBytes: 0, wireBytes: 0 };

  return {
    received(operation, bodyBytes) {
      requests.add(operation);
      totals.wireBytes += bodyBytes;
    },
    injected: (fault) => {
      faults.add(fault);
    },
    violated: (violation) => violations.add(violation),
    tolerated: (departure) => tolerated.add(departure),
    unsupported: (operation) => {
      unsupported.add(operation);
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
      violations: violations.toArray(),
      violationCount: violations.count,
      tolerated: tolerated.toArray(),
      toleratedCount: tolerated.count,
      unsupported: unsupported.toRecord(),
      largestBatch: { ...largestBatch },
      concurrent: { perStream: inFlight.mostPerKey, overall: inFlight.mostOverall },
    }),
  };
}
