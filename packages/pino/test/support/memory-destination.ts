import type { Batch, Destination, Encoding, LogRecord, SendOutcome } from '@logferry/core';

/** A third party's destination: keeps the records it is sent, unless `answer` throws. */
export class MemoryDestination implements Destination {
  readonly name = 'memory';
  readonly reads = 'text';
  readonly limits = { maxEvents: 1000, maxBytes: 1_000_000, baseBytes: (): number => 0 };
  readonly encoded: LogRecord[] = [];
  readonly stored: string[] = [];
  closed = false;
  answer: (batch: Batch) => Promise<void> | void = () => {};

  encode(record: LogRecord): Encoding {
    this.encoded.push(record);
    return { route: 'memory', time: record.time, payload: record.text, bytes: record.text.length };
  }

  async send(batch: Batch): Promise<SendOutcome> {
    await this.answer(batch);
    this.stored.push(...batch.events.map((event) => event.payload));
    return { rejected: [], wireBytes: batch.bytes };
  }

  async close(): Promise<void> {
    this.closed = true;
  }
}

/** A promise that never settles: a service that hangs. */
export function hang(): Promise<never> {
  return new Promise(() => {});
}
