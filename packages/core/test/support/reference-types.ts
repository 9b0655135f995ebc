import type {
  Batch,
  DeliveryCode,
  DeliveryError,
  EncodedEvent,
  PayloadSeparator,
  SendOutcome,
} from '../../src/index.js';
import type { Form } from './payloads.js';

export type Outcome = SendOutcome | DeliveryError;

export interface Settings {
  readonly maxDelayMs: number;
  readonly maxBatchEvents: number;
  readonly maxBufferBytes: number;
  readonly overflow: 'drop-newest' | 'drop-oldest';
  readonly concurrency: number;
  readonly ordered: boolean;
  readonly requestTimeoutMs: number;
  readonly baseMs: number;
  readonly throttledBaseMs: number;
  readonly capMs: number;
  readonly maxAgeMs: number;
  readonly jitter: number;
  /** Largest request that a proxy in front of the service takes. */
  readonly takesBytes: number;
  /** Of the payloads. */
  readonly form: Form;
  readonly separator: PayloadSeparator;
}

/** Events that have to happen in some of the histories, or the test proves nothing. */
export const newSights = () => ({
  delivered: 0,
  rejected: 0,
  bufferFull: 0,
  evicted: 0,
  closedRefused: 0,
  tooLargeOnTheSpot: 0,
  halved: 0,
  blamed: 0,
  cutToSize: 0,
  joined: 0,
  compacted: 0,
  millisecondCut: 0,
  sharedMillisecond: 0,
  heldRoute: 0,
  triedInSpite: 0,
  heldAll: 0,
  provenInOutage: 0,
  convicted: 0,
  tooLarge: 0,
  expired: 0,
  undeliverable: 0,
  timedOut: 0,
  lateResponse: 0,
  throttleHalving: 0,
  outage: 0,
  probe: 0,
  orderedFailure: 0,
  failingRoute: 0,
  askedAndFlushed: 0,
  flushDuringBackoff: 0,
  closeWithFlight: 0,
  repeated: 0,
});
export type Sights = ReturnType<typeof newSights>;

/** A request to the destination. */
export interface Request {
  readonly number: number;
  readonly route: string;
  readonly batch: Batch;
  readonly parts: readonly Part[];
  readonly atMs: number;
  /** Successes before it was sent. */
  readonly successes: number;
  /** Its route worked then. */
  readonly isProven: boolean;
  over: boolean;
}

/** A batch, from its first part to its last; a batch that is halved becomes two. */
export interface Group {
  readonly openedPosition: number;
  readonly offset: number;
  /** When its first record was accepted. */
  readonly acceptedAtMs: number;
  /** The same of the last batch that joined it. */
  youngestAtMs: number;
  /** Times of its events, evicted ones included. */
  fromMs: number;
  toMs: number;
  /** A success ends its backoff: it may prove that a record is bad. */
  waitsForProof?: boolean;
  /** Number of batches that the destination had taken at its last refusal. */
  refusedAtSuccess: number | undefined;
  /** The destination had its one immediate repetition. */
  repeated: boolean;
}

export function newGroup(
  openedPosition: number,
  offset: number,
  acceptedAtMs: number,
  events: readonly { readonly time: number }[],
): Group {
  const times = events.map(({ time }) => time);
  const [fromMs, toMs] = [Math.min(...times), Math.max(...times)];
  const youngestAtMs = acceptedAtMs;
  return {
    openedPosition,
    offset,
    acceptedAtMs,
    youngestAtMs,
    fromMs,
    toMs,
    refusedAtSuccess: undefined,
    repeated: false,
  };
}

/** A group takes in others. */
export function joinGroups(group: Group, others: readonly Group[]): void {
  for (const { fromMs, toMs, youngestAtMs } of others) {
    group.fromMs = Math.min(group.fromMs, fromMs);
    group.toMs = Math.max(group.toMs, toMs);
    group.youngestAtMs = Math.max(group.youngestAtMs, youngestAtMs);
  }
}

export function precedes(a: Group | undefined, b: Group | undefined): boolean {
  if (!a || !b) return false;
  return a.openedPosition < b.openedPosition || (a.openedPosition === b.openedPosition && a.offset < b.offset);
}

/** A record, or a part of a split one. */
export interface Part extends EncodedEvent {
  group: Group | undefined;
  readonly position: number;
  /** Its position among those of its batch. */
  order: number;
  readonly urgent: boolean;
  readonly acceptedAtMs: number;
  readonly whole: Whole;
  fate: 'pending' | 'delivered' | 'rejected' | 'dropped';
  /** The reason for which the service rejected it in a stored batch; counted when it is reported. */
  rejection: string | undefined;
  /** It waits for a slot, or was tried; else its batch is open. */
  sealed: boolean;
  /** Its loss was reported. */
  reported: boolean;
  flight: Request | undefined;
  /** The batch in which it was first sent, and its index there. */
  first: { readonly batch: Batch; readonly index: number } | undefined;
  failures: number;
  /** Failures by throttling are counted apart. */
  throttled: number;
  askedUntilMs: number;
  sleepsUntilMs: number;
  /** It had the one try that `close()` makes in spite of Retry-After. */
  wasTriedInSpite: boolean;
  /** No attempt can start before the deadline of `close()`. */
  cannotStart: boolean;
  /** Number of batches that the destination had taken at the first refusal of this part, alone or with others. */
  takenBefore: number | undefined;
  /** The code of the refusal when it was sent alone. */
  refusedAlone: DeliveryCode | undefined;
  /** It was refused alone at any time: later parts pass it. */
  wasSuspect: boolean;
}

export interface Whole {
  unsettled: number;
  loss: readonly ['rejected' | 'dropped', string] | undefined;
}
