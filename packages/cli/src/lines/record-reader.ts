import { systemClock } from '@logferry/core';
import { ByteLines } from './byte-lines.js';
import { LineJoiner, type MultilineRule } from './multiline.js';
import { type RecognisedLine, recognise } from './recognise.js';

export interface RecordReaderOptions {
  readonly multiline: MultilineRule;
  /** A longer line is no record. Counted as UTF-16 code units, without the line end. */
  readonly maxLineChars: number;
  /** The time of reading, in epoch milliseconds. @default the system's clock */
  readonly now?: () => number;
  /**
   * A record is whole.
   *
   * @param endOffset the bytes of the input up to the end of the record's last line: with its line end, without blank lines that follow
   */
  onRecord(record: RecognisedLine, endOffset: number): void;
  /** A line was too long. Only its beginning was kept. */
  onTooLong(head: string, endOffset: number): void;
}

/** Reads the output of a program: its bytes become lines, lines that belong together become records. Blank lines between records are left out. */
export class RecordReader {
  readonly #now: () => number;
  readonly #lines: ByteLines;
  readonly #joiner: LineJoiner;
  #readAt = 0;

  constructor(options: RecordReaderOptions) {
    this.#now = options.now ?? (() => systemClock.now());
    this.#joiner = new LineJoiner(options.multiline, (text, endOffset, readAt) =>
      options.onRecord(recognise(text, readAt), endOffset),
    );
    this.#lines = new ByteLines(options.maxLineChars, {
      onLine: (line, endOffset) => this.#joiner.add(line, endOffset, this.#readAt),
      onTooLong: (head, endOffset) => {
        this.#joiner.release();
        options.onTooLong(head, endOffset);
      },
    });
  }

  /** Whether a whole line waits for lines that belong to it. */
  get hasHeld(): boolean {
    return this.#joiner.hasHeld;
  }

  /** @param chunk a text has whole characters only: no half of a surrogate pair */
  read(chunk: Uint8Array | string): void {
    this.#readAt = this.#now();
    this.#lines.read(chunk);
  }

  /** The input is idle: the held record is whole. A line whose end has not come goes on waiting. */
  flush(): void {
    this.#joiner.release();
  }

  /** Nothing more comes: a line without its end is a line. */
  end(): void {
    this.#lines.end();
    this.#joiner.release();
  }
}
