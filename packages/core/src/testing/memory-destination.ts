import type { Batch, BatchLimits, Encoding, FullDestination, SendOutcome } from '../contract/destination.js';
import type { LogRecord } from '../contract/record.js';

/** A destination that keeps everything in memory: for tests of an adapter, or of an application's logging. */
export class MemoryDestination implements FullDestination {
  readonly name = 'memory';
  /** For the option `spool`. */
  readonly identity: string = 'memory';
  readonly reads = 'both';
  /** Each text counts its bytes in UTF-8. A longer one is refused as `too-large`. */
  readonly limits: BatchLimits = { maxEvents: 1000, maxBytes: 1_000_000 };
  /** The records that were encoded, in order of acceptance. */
  readonly records: LogRecord[] = [];
  /** The payloads that were stored, as text. */
  readonly texts: string[] = [];
  /** Whether the shipper closed it. */
  closed = false;
  /** Names the route of a record. @default 'memory' for all */
  routeOf: (record: LogRecord) => string = () => 'memory';
  /** Decides a request: the batch is stored if it returns or resolves, and fails if it throws. @default stores */
  respond: (batch: Batch, signal: AbortSignal, progress?: () => void) => Promise<void> | void = () => {};

  /** Keeps the record. Its payload is the text. */
  encode(record: LogRecord): Encoding {
    const { time, level, urgent, text, fields } = record;
    this.records.push({ time, level, urgent, text, fields });
    const bytes = Buffer.byteLength(text);
    if (bytes > this.limits.maxBytes) return { refused: 'too-large' };
    return { route: this.routeOf(record), time, payload: text.toWellFormed(), bytes };
  }

  /** Stores the batch if {@link respond} lets it. */
  async send(batch: Batch, signal: AbortSignal, progress?: () => void): Promise<SendOutcome> {
    await this.respond(batch, signal, progress);
    this.texts.push(...batch.events.map(({ payload }) => Buffer.from(payload).toString()));
    return { rejected: [], wireBytes: batch.bytes };
  }

  /** Sets {@link closed}. */
  async close(): Promise<void> {
    this.closed = true;
  }

  /** The only record that was encoded. Throws if there is none, or more. */
  get record(): LogRecord {
    const [record] = this.records;
    if (!record || this.records.length > 1) throw new Error(`expected one record, got ${this.records.length}`);
    return record;
  }
}

/** A response that never comes, for {@link MemoryDestination.respond}. */
export function never(): Promise<never> {
  return new Promise(() => {});
}
