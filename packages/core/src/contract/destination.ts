import type { DeliveryError } from './errors.js';
import type { LogRecord } from './record.js';

/** Why a record does not arrive. The last two are what the options ask for: they are counted, but are no loss that anybody is told of. */
export type DropReason =
  /** The byte budget was full. */
  | 'buffer-full'
  /** The record is larger than the service takes, as its limits say, or as it refused this one and took a smaller one. */
  | 'too-large'
  /** The service refused the record and took others, or the record holds nothing that the service could take: an empty message. */
  | 'invalid'
  /** Reading or encoding the record threw: see {@link Drop.cause}. */
  | 'unencodable'
  /** The record is older than the service's window. */
  | 'too-old'
  /** The record lies further in the future than the service's window. */
  | 'too-new'
  /** The record is older than `retry.maxAgeMs` and still fails, or is older than the log group's retention. */
  | 'expired'
  /** The record was accepted, but not delivered before the deadline of `close()`, or the end of the process or worker thread. */
  | 'undeliverable'
  /** The record was logged after `close()`. */
  | 'closed'
  /** More routes (streams, topics) have records waiting or in flight than `maxRoutes`: see {@link Drop.cause}. */
  | 'too-many-routes'
  /** The record was logged from inside a request of ours, by the SDK for instance: shipping it would cause the next. */
  | 'feedback'
  /** The spool holds `spool.maxBytes`. */
  | 'spool-full'
  /** The option `transform` left the record out. */
  | 'filtered'
  /** The option `sample` left the record out. */
  | 'sampled';

/** Whether `reason` is a {@link DropReason}. */
export function isDropReason(reason: unknown): reason is DropReason {
  return typeof reason === 'string' && Object.hasOwn(zeroByReason(), reason);
}

/** Whether a record was left out as the options ask for, which is no loss. */
export function isLeftOut(reason: DropReason): boolean {
  return reason === 'filtered' || reason === 'sampled';
}

/** A counter for each reason. */
export function zeroByReason(): Record<DropReason, number> {
  return {
    'buffer-full': 0,
    'too-large': 0,
    invalid: 0,
    unencodable: 0,
    'too-old': 0,
    'too-new': 0,
    expired: 0,
    undeliverable: 0,
    closed: 0,
    'too-many-routes': 0,
    feedback: 0,
    'spool-full': 0,
    filtered: 0,
    sampled: 0,
  };
}

/** Records that were lost for one reason in one turn of the event loop. */
export interface Drop {
  /** Why they were lost. */
  readonly reason: DropReason;
  /** Number of records. */
  readonly records: number;
  /** Time of the earliest record, in epoch milliseconds. */
  readonly from: number;
  /** Time of the latest record, in epoch milliseconds. */
  readonly to: number;
  /** The lost events, as far as they were encoded: at most 1 MiB of payloads. The counts and times above are exact. */
  readonly events: readonly EncodedEvent[];
  /**
   * The error behind the first of the losses: the one thrown while the record was read or encoded (`unencodable`), the
   * `DeliveryError` of the last attempt (`invalid`, `too-large`, `expired`, `undeliverable`), one that names the end that came
   * first (`undeliverable`), or the option (`too-many-routes`). From a worker thread, any other than a `DeliveryError` comes as text.
   */
  readonly cause?: unknown;
}

/** A record, or a part of one, ready for the request body. */
export interface EncodedEvent {
  /**
   * The target within the destination, self-describing: log group and stream, or topic and tags. All events of a batch have
   * the same route.
   */
  readonly route: string;
  /** Time of the event, in epoch milliseconds. */
  readonly time: number;
  /**
   * Text or bytes, ready to be joined into the request body. Text is well-formed: the core keeps it as UTF-8, which has no lone
   * surrogates. Bytes, which may be a part of a larger buffer, must not change after `encode` has returned them. The core gives
   * text back as text, and bytes as a `Uint8Array` with memory of its own.
   */
  readonly payload: string | Uint8Array;
  /** Size as the service counts it. */
  readonly bytes: number;
}

/**
 * The result of `encode`: one event, several (an oversized record, split), or a refusal, which is counted as a loss. An event
 * that is larger than a batch is refused as `too-large`.
 */
export type Encoding = EncodedEvent | readonly EncodedEvent[] | { readonly refused: DropReason };

/** The service's limits of one request. The unit of all bytes is what the service counts. */
export interface BatchLimits {
  /** Most events in a batch. */
  readonly maxEvents: number;
  /** Most bytes in a batch: `baseBytes(route)` and the `bytes` of its events. */
  readonly maxBytes: number;
  /** Most milliseconds between the earliest and the latest event of a batch. @default no limit */
  readonly maxSpanMs?: number;
  /**
   * Most milliseconds that the time of an event may lie in the past: the service refuses an older event. A record with an
   * older time gets the time now before `encode`. @default no limit
   */
  readonly maxPastMs?: number;
  /** The same for the future. @default no limit */
  readonly maxFutureMs?: number;
  /** Bytes that a batch of this route costs before its first event. Asked for each record. @default 0 */
  baseBytes?(route: string): number;
}

/** The character between the payloads in a request body; `''` for none. */
export type PayloadSeparator = ',' | '\n' | '';

/** The content of one request. The same object on every retry, so that a destination can remember things about it. */
export interface Batch {
  /** The target within the destination, as {@link EncodedEvent.route}. */
  readonly route: string;
  /** In order of time; events of the same time in order of acceptance. */
  readonly events: readonly EncodedEvent[];
  /** Sum of the events' `bytes` and of `baseBytes(route)`. */
  readonly bytes: number;
  /** A time that no event precedes, in epoch milliseconds: mostly that of the first one. @default unknown */
  readonly from?: number | undefined;
  /** A time that no event exceeds, in epoch milliseconds: mostly that of the last one. @default unknown */
  readonly to?: number | undefined;
  /** As the destination states it. @default ',' */
  readonly separator?: PayloadSeparator | undefined;
}

/** The service's answer to a request that it accepted. */
export interface SendOutcome {
  /** Events that the service did not store; they are never sent again. `index` counts in `batch.events`. */
  readonly rejected: readonly { readonly index: number; readonly reason: DropReason }[];
  /** Bytes of the request body on the wire. */
  readonly wireBytes: number;
  /** The service's name for the request, for its support. */
  readonly requestId?: string | undefined;
  /** Settings that the service refused although it accepted the batch. They are reported to `onError`; nothing is sent again. */
  readonly faults?: readonly DeliveryError[] | undefined;
}

/** A record as a destination that reads `'text'` sees it. */
export type TextRecord = Omit<LogRecord, 'fields'>;

/** A record as a destination that reads `'fields'` sees it. */
export type FieldsRecord = Omit<LogRecord, 'text'>;

/** A service that takes batches. The core knows nothing else of it. */
export type Destination = TextDestination | FieldsDestination | FullDestination;

/** A destination that ships the line as the framework rendered it. */
export interface TextDestination extends DestinationOf<TextRecord> {
  /** `encode` gets the text, and no fields. */
  readonly reads: 'text';
  /**
   * Encodes the records of a turn of the event loop together, in their order: one encoding for each. With it records wait
   * for the end of the turn, so that log calls do not pay for encoding. A record that is refused then was accepted before.
   * If it throws, each record is encoded alone.
   */
  readonly encodeAll?: (records: readonly TextRecord[]) => readonly Encoding[];
}

/** A destination that ships the fields of records. */
export interface FieldsDestination extends DestinationOf<FieldsRecord> {
  /** `encode` gets the fields, and no text. */
  readonly reads: 'fields';
}

/**
 * A destination that needs line and fields, which costs more in a worker thread. There the fields come through JSON, by
 * `parseObject`: a BigInt, or a number that JavaScript cannot hold, is its digits as text.
 */
export interface FullDestination extends DestinationOf<LogRecord> {
  /** `encode` gets text and fields. */
  readonly reads: 'both';
}

interface DestinationOf<Readable> {
  /** Short name for messages: `"cloudwatch"`. */
  readonly name: string;
  /** The limits of one request. They do not change. */
  readonly limits: BatchLimits;
  /** The default of the option `maxRoutes`, for a destination whose routes come from records. @default 10_000 */
  readonly maxRoutes?: number | undefined;
  /**
   * Names where records go and what they look like: the destination, endpoint or region, project or account, and the format of the
   * payload. Records on disk are delivered only by a destination with the same identity. Nothing secret. Without it the option
   * `spool` is refused.
   */
  readonly identity?: string | undefined;
  /**
   * The character that {@link enclosePayloads} puts between payloads: `'\n'` for newline-delimited JSON, `''` for payloads that
   * follow each other without one. @default ','
   */
  readonly separator?: PayloadSeparator | undefined;
  /**
   * Turns a record into wire-ready events. Synchronous. It sees only what `reads` names, in process and in a worker thread
   * alike. If it throws, the record is counted as `unencodable`.
   */
  readonly encode: (record: Readable) => Encoding;
  /**
   * Delivers a batch with at most one data request. It throws a {@link DeliveryError} when the batch has to be sent again:
   * only the core repeats. `signal` aborts when the time of the attempt is over: `requestTimeoutMs` after the last call of
   * `progress`, ten times as long after the start. Call `progress` whenever a part of the request was sent, or of the response
   * came.
   */
  send(batch: Batch, signal: AbortSignal, progress?: () => void): Promise<SendOutcome>;
  /**
   * Loads what the first `send` needs, and makes no request. Called once, while the first record waits for its batch; not where that is
   * sent at once. A failure is ignored: `send` meets it again, and says it.
   */
  prepare?(): Promise<void>;
  /** Releases what the destination opened itself. Called once, after the last `send`. */
  close?(): Promise<void>;
  /**
   * Says for people where records go, and with which kind of credentials, as far as it is known by now: shown with `LOGFERRY_DEBUG=1`
   * and in messages. Of one route if it is given. Nothing secret. @default the route itself
   */
  describe?(route?: string): DestinationDescription;
  /** The way to make the same destination in a worker thread. Without it `thread: true` is refused. */
  recipe?(): DestinationRecipe;
}

/** Where records go, for people. */
export interface DestinationDescription {
  /** The region, host or URL: `"eu-central-1"`. */
  readonly endpoint?: string | undefined;
  /** The place there: `'log group "shop", stream "web/1"'`. */
  readonly target?: string | undefined;
  /** The kind of the credentials, and never a part of them: `"environment variables"`. */
  readonly credentials?: string | undefined;
}

/** The way to make a destination in another thread, where objects and functions of this one cannot go. */
export interface DestinationRecipe {
  /** URL of the module that exports the factory. It is loaded by `import()`, in TypeScript by `require`. */
  readonly module: string;
  /** `'commonjs'`: the module is loaded by `require`, in half the time. @default by its name */
  readonly format?: 'commonjs' | undefined;
  /** Name of the exported function that makes the destination of the options. */
  readonly factory: string;
  /** The argument of the factory, which gets a clone of it. */
  readonly options: object;
  /** Replaces values that JSON would lose, so that `encode` reads the same from the fields. @default the fields themselves */
  plainFields?(fields: LogRecord['fields']): object;
}
