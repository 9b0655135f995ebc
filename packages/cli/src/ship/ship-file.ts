import { addAbortSignal } from 'node:stream';
import type { LogRecord, Shipper } from '@logferry/core';
import type { Shipping } from '../pipe/shipping-command.js';
import { type FileSource, readFrom } from './file-source.js';
import type { Mark, Marks } from './marks.js';
import type { RateLimit } from './rate-limit.js';

/** A mark is made each second, and each 10,000 records: a resumed command sends at most these, and what was in flight, once more. */
const MARK_MS = 1000;
const MARK_RECORDS = 10_000;

/** With a limit of the rate so little is read at a time that its records are no burst. */
const LIMITED_CHUNK_BYTES = 1024;

/** How a file is shipped. */
export interface FileShipping {
  readonly shipper: Shipper;
  readonly chunkBytes: number;
  readonly rateLimit: RateLimit | undefined;
  readonly signal: AbortSignal;
  readonly marks: Marks;
  /** Goes on at the mark, if there is one. */
  readonly resume: boolean;
  /** Whether a record ships. */
  isWanted(record: LogRecord): boolean;
  readonly openReader: Shipping['openReader'];
  /** Told the bytes that were read from the disk. */
  onRead(bytes: number): void;
}

/** What became of a file. */
export interface ShippedFile {
  /** Records before the mark at which it went on; 0 without one. */
  readonly resumedAt: number;
  readonly left: number;
  /** False if the signal came before its end. */
  readonly isWhole: boolean;
  /** Makes the last mark, once all that was read is delivered. */
  finish(): void;
}

/** Reads a file, and hands its records to the shipper. Rejects with the error of a file that cannot be read. */
export async function shipFile(source: FileSource, shipping: FileShipping): Promise<ShippedFile> {
  const { shipper, rateLimit, signal, marks, isWanted } = shipping;
  const mark = shipping.resume ? await marks.read() : undefined;
  const fingerprint = await marks.fingerprint();
  const start = mark ? await startAfter(mark, source) : 0;
  let end = start;
  let records = mark?.records ?? 0;
  let left = 0;
  /** End of the record before the last. */
  let lastStart = start;
  let endsWithLine = true;
  const marker = new Marker(shipper, (offset, before) =>
    marks.write({ offset, unfinished: undefined, records: before, fingerprint }),
  );
  const reader = shipping.openReader({
    onRecord: (record, endOffset) => {
      lastStart = end;
      end = start + endOffset;
      records++;
      rateLimit?.count();
      if (isWanted(record)) shipper.accept(record);
      else left++;
    },
  });
  const input = addAbortSignal(signal, readFrom(source, start, shipping.onRead));
  const chunkBytes = rateLimit ? LIMITED_CHUNK_BYTES : shipping.chunkBytes;
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      endsWithLine = chunk.at(-1) === LINE_END;
      for (let from = 0; from < chunk.length && !signal.aborted; from += chunkBytes) {
        await shipper.ready();
        shipper.together(() => reader.read(chunk.subarray(from, from + chunkBytes)));
        marker.advance(end, records);
        await rateLimit?.wait(signal);
      }
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
  // What was read of a record that goes on would be half of it.
  if (!signal.aborted) shipper.together(() => reader.end());
  return {
    resumedAt: mark?.records ?? 0,
    left,
    isWhole: !signal.aborted,
    finish: () => {
      // The mark is as it was.
      if (end === start && mark) return;
      const unfinished = endsWithLine || signal.aborted ? undefined : lastStart;
      marks.write({ offset: end, unfinished, records, fingerprint });
    },
  };
}

const LINE_END = 0x0a;

/** The mark, or the beginning of the last record before it if the file went on in the middle of that one. */
async function startAfter({ offset, unfinished }: Mark, source: FileSource): Promise<number> {
  if (unfinished === undefined) return offset;
  for await (const chunk of readFrom(source, offset, () => {}) as AsyncIterable<Buffer>)
    return chunk[0] === LINE_END ? offset : unfinished;
  return offset;
}

/** Writes how far all is delivered, while the shipper goes on. */
class Marker {
  readonly #shipper: Shipper;
  readonly #write: (offset: number, records: number) => void;
  #isBusy = false;
  #lastMs = performance.now();
  #lastRecords = 0;

  constructor(shipper: Shipper, write: (offset: number, records: number) => void) {
    this.#shipper = shipper;
    this.#write = write;
  }

  /** `offset` is the end of the last of the `records` that were handed over. */
  advance(offset: number, records: number): void {
    if (this.#isBusy || records === this.#lastRecords) return;
    if (performance.now() - this.#lastMs < MARK_MS && records - this.#lastRecords < MARK_RECORDS) return;
    this.#isBusy = true;
    const { undeliverable } = this.#shipper.stats().dropped;
    void this.#shipper.flush().then(({ dropped }) => {
      this.#isBusy = false;
      this.#lastMs = performance.now();
      this.#lastRecords = records;
      // What `close()` gave up is not delivered.
      if (dropped.undeliverable === undeliverable) this.#write(offset, records);
    });
  }
}
