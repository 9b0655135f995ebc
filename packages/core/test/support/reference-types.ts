import type { Batch, DeliveryCode, DeliveryError, EncodedEvent, SendOutcome } from '../../src/index.js';

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
  hopeless: 0,
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
  /** Successes before it was sent. */
  readonly successes: number;
  over: boolean;
}

/** A batch, from its first part to its last; a batch that is halved becomes two. */
export interface Group {
  readonly openedPosition: number;
  readonly offset: number;
}

/** A record, or a part of a split one. */
export interface Part extends EncodedEvent {
  group: Group | undefined;
  readonly position: number;
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
  first: { readonly batch: Batch; readonly index: number; readonly lowestPosition: number } | undefined;
  failures: number;
  askedUntilMs: number;
  sleepsUntilMs: number;
  /** The batch that was refused as invalid, and is searched for the bad record. */
  search: Batch | undefined;
  /** The code of the refusal when it was sent alone. */
  refusedAlone: DeliveryCode | undefined;
}

export interface Whole {
  unsettled: number;
  loss: readonly ['rejected' | 'dropped', string] | undefined;
}
