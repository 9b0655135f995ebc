import type { LogRecord } from './record.js';

/** Why a record was lost. */
export type DropReason =
  /** The byte budget was full. */
  | 'buffer-full'
  /** Larger than the service takes. */
  | 'too-large'
  /** Refused by the service, or nothing that it could take: an empty message. */
  | 'invalid'
  /** Reading or encoding the record threw. */
  | 'unencodable'
  /** Older than the service's window. */
  | 'too-old'
  /** Further in the future than the service's window. */
  | 'too-new'
  /** Past `retry.maxAgeMs`, or past the log group's retention. */
  | 'expired'
  /** Accepted, but not delivered when the deadline of `close()` came. */
  | 'undeliverable'
  /** Logged after `close()`. */
  | 'closed'
  /** More routes (streams, topics) are live at once than the core keeps. */
  | 'too-many-routes'
  /** Logged from inside a request of ours, by the SDK for instance: shipping it would cause the next. */
  | 'feedback';

/** A record, or a part of one, ready for the request body. */
export interface EncodedEvent {
  /** Where it goes within the destination, self-describing: log group and stream, or topic and tags. One batch has one route. */
  readonly route: string;
  /** Time of the event, in epoch milliseconds. */
  readonly time: number;
  /** Text, ready to be joined into the request body. Well-formed: it is kept as UTF-8, which has no lone surrogates. */
  readonly payload: string;
  /** Size as the service counts it. */
  readonly bytes: number;
}

/** What became of a record in {@link Destination.encode}: one event, several (an oversized record, split), or a refusal. */
export type Encoding = EncodedEvent | readonly EncodedEvent[] | { readonly refused: DropReason };

/** The service's limits of one request. */
export interface BatchLimits {
  /** Most events in a batch. */
  readonly maxEvents: number;
  /** Most bytes in a batch: `baseBytes(route)` and the `bytes` of its events. */
  readonly maxBytes: number;
  /** Most milliseconds between the earliest and the latest event of a batch; none when absent. */
  readonly maxSpanMs?: number;
  /** Bytes that a batch of this route costs before its first event. */
  baseBytes(route: string): number;
}

/** What one request carries. The same object on every retry, so that a destination can remember things about it. */
export interface Batch {
  readonly route: string;
  /** In order of time; events of the same time in order of acceptance. */
  readonly events: readonly EncodedEvent[];
  /** Sum of the events' `bytes` and of `baseBytes(route)`. */
  readonly bytes: number;
}

/** What a service said to a request that it accepted. */
export interface SendOutcome {
  /** Events that the service did not store; they are never sent again. `index` is the place in `batch.events`. */
  readonly rejected: readonly { readonly index: number; readonly reason: DropReason }[];
  /** Bytes of the request body on the wire. */
  readonly wireBytes: number;
  readonly requestId?: string | undefined;
}

/** A service that takes batches. This is all that the core knows of it. */
export interface Destination {
  /** Short name for messages: `"cloudwatch"`. */
  readonly name: string;
  /** What `encode` reads of a record besides time and level, so that a thread boundary carries only that. */
  readonly reads: 'text' | 'fields';
  readonly limits: BatchLimits;
  /** Turns a record into wire-ready events. Synchronous. What it throws is counted as `unencodable`. */
  encode(record: LogRecord): Encoding;
  /**
   * The same for records of a turn, in their order. With it, and where `reads` is `'text'`, records wait for the end of the
   * turn to be encoded, so that log calls do not pay for that; what is refused then was accepted before.
   */
  encodeAll?(records: readonly LogRecord[]): readonly Encoding[];
  /**
   * Delivers a batch with at most one data request. Whatever needs the batch again throws a {@link DeliveryError}; only the
   * core repeats. `signal` aborts when the attempt's time is over.
   */
  send(batch: Batch, signal: AbortSignal): Promise<SendOutcome>;
  /** Releases what the destination opened itself. Called once, after the last `send`. */
  close?(): Promise<void>;
  /** How to make the same destination in a worker thread; without it there is no shipping from there. */
  recipe?(): DestinationRecipe;
}

/** How a destination is made in another thread, where objects and functions of this one cannot go. */
export interface DestinationRecipe {
  /** URL of the module that exports the factory. */
  readonly module: string;
  /** Name of the exported function that makes the destination of the options. */
  readonly factory: string;
  /** What the factory is given: a clone of it. */
  readonly options: object;
  /** Makes of a record's fields what `encode` reads the same after JSON. @default the fields themselves */
  plainFields?(fields: LogRecord['fields']): object;
}
