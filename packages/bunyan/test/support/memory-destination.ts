import type { Batch, BatchLimits, Destination, Encoding, LogRecord, SendOutcome } from '@logferry/core';

/** A third party's destination: keeps what it read of each record, and the texts it was sent. */
export class MemoryDestination implements Destination {
  readonly name = 'memory';
  readonly reads = 'text';
  readonly limits: BatchLimits = { maxEvents: 1000, maxBytes: 1_000_000, baseBytes: () => 0 };
  readonly records: LogRecord[] = [];
  readonly texts: string[] = [];
  closed = false;
  /** Answers a request: by storing, by throwing, or never. */
  answer: () => Promise<void> | void = () => {};

  encode({ time, level, urgent, text, fields }: LogRecord): Encoding {
    this.records.push({ time, level, urgent, text, fields });
    return { route: 'memory', time, payload: text, bytes: Buffer.byteLength(text) };
  }

  async send(batch: Batch): Promise<SendOutcome> {
    await this.answer();
    this.texts.push(...batch.events.map((event) => event.payload));
    return { rejected: [], wireBytes: batch.bytes };
  }

  async close(): Promise<void> {
    this.closed = true;
  }

  /** The only record it got. */
  get record(): LogRecord {
    const [record] = this.records;
    if (!record || this.records.length > 1) throw new Error(`expected one record, got ${this.records.length}`);
    return record;
  }
}

/** An answer that never comes. */
export function never(): Promise<void> {
  return new Promise(() => {});
}
