import type { DeliveryReport, LogRecord, Shipper } from '@logferry/core';
import { refuseLine, type Shipping } from '../pipe/shipping-command.js';
import { untilAborted } from '../pipe/waits.js';
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
  readonly start: FileStart;
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
  /** Makes the last mark, after the shipper has ended. None if another run could deliver what was lost. */
  finish(): void;
}

/** Where the shipping of a file begins. */
export interface FileStart {
  readonly mark: Mark | undefined;
  /** In bytes of what the file holds, decompressed. */
  readonly offset: number;
}

/** The beginning of a file, or with `resume` the place behind its mark. Rejects with the error of a file that cannot be read. */
export async function startOf(source: FileSource, marks: Marks, resume: boolean): Promise<FileStart> {
  const mark = resume ? await markOf(source, marks) : undefined;
  return { mark, offset: mark ? await startAfter(mark, source) : 0 };
}

/** Reads a file, and hands its records to the shipper. Rejects with the error of a file that cannot be read. */
export async function shipFile(source: FileSource, shipping: FileShipping): Promise<ShippedFile> {
  const { shipper, rateLimit, signal, marks, isWanted } = shipping;
  const { mark, offset: start } = shipping.start;
  const fingerprint = await marks.fingerprint();
  let end = start;
  let records = mark?.records ?? 0;
  let left = 0;
  /** End of the record before the last. */
  let lastStart = start;
  let endsWithLine = true;
  const lostBefore = lostForNow(shipper.stats());
  const isDelivered = (): boolean => lostForNow(shipper.stats()) === lostBefore;
  const marker = new Marker(shipper, (offset, before) => {
    if (isDelivered()) marks.write({ offset, unfinished: undefined, records: before, fingerprint });
  });
  const reader = shipping.openReader({
    onRecord: (record, endOffset) => {
      lastStart = end;
      end = start + endOffset;
      records++;
      rateLimit?.count();
      if (isWanted(record)) shipper.accept(record);
      else left++;
    },
    onTooLong: (head, endOffset) => {
      lastStart = end;
      end = start + endOffset;
      refuseLine(shipper, head);
    },
  });
  const chunkBytes = rateLimit ? LIMITED_CHUNK_BYTES : shipping.chunkBytes;
  try {
    for await (const chunk of readFrom(source, start, shipping.onRead)) {
      if (signal.aborted) break;
      endsWithLine = chunk.at(-1) === LINE_END;
      for (let from = 0; from < chunk.length; from += chunkBytes) {
        await untilAborted(shipper.ready(), signal);
        if (signal.aborted) break;
        shipper.together(() => reader.read(chunk.subarray(from, from + chunkBytes)));
        marker.advance(end, records);
        await rateLimit?.wait(signal);
      }
    }
  } finally {
    // After a signal, what was read of a record that goes on would be half of it.
    if (!signal.aborted) shipper.together(() => reader.end());
  }
  return {
    resumedAt: mark?.records ?? 0,
    left,
    isWhole: !signal.aborted,
    finish: () => {
      // The mark is as it was.
      if ((end === start && mark) || !isDelivered()) return;
      const unfinished = endsWithLine || signal.aborted ? undefined : lastStart;
      marks.write({ offset: end, unfinished, records, fingerprint });
    },
  };
}

const LINE_END = 0x0a;

/** The mark of a file that is as long as it was at least. */
async function markOf({ isCompressed, sizeBytes }: FileSource, marks: Marks): Promise<Mark | undefined> {
  const mark = await marks.read();
  return mark && !isCompressed && mark.offset > sizeBytes ? undefined : mark;
}

/** Lost records that another run could deliver. The others are lost for good, and no reason to begin with them again. */
function lostForNow({ dropped }: DeliveryReport): number {
  return dropped.undeliverable + dropped.expired + dropped['buffer-full'] + dropped['too-many-routes'] + dropped.closed;
}

/** The mark, or the beginning of the last record before it if the file went on in the middle of that one. */
async function startAfter({ offset, unfinished }: Mark, source: FileSource): Promise<number> {
  if (unfinished === undefined) return offset;
  for await (const chunk of readFrom(source, offset, () => {})) return chunk[0] === LINE_END ? offset : unfinished;
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
    void this.#shipper.flush().then(() => {
      this.#isBusy = false;
      this.#lastMs = performance.now();
      this.#lastRecords = records;
      this.#write(offset, records);
    });
  }
}
