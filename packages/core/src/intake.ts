import type { CheckedEncoding } from './encode.js';
import { costOf } from './ledger.js';
import type { LogRecord } from './record.js';

/** Most that waits, in bytes of the budget: about a millisecond of encoding. */
const MAX_BYTES = 512 * 1024;

/** The part of the budget that may wait, so that it is known before the budget is full. */
const PART_OF_BUDGET = 1 / 8;

/** Longer texts, and none, are the ones that a destination may refuse or split: they are judged at once. */
const MAX_TEXT_LENGTH = 64 * 1024;

/** Records that are encoded together: fewer cost more each, and the texts of more become large objects. */
const MAX_TOGETHER = 256;

/** Records that wait for the end of the turn, where they are encoded: a log call should not pay for that. */
export class Intake {
  readonly #maxBytes: number;
  readonly #encode: (records: readonly LogRecord[]) => readonly CheckedEncoding[];
  readonly #take: (record: LogRecord, encoded: CheckedEncoding) => void;
  #waiting: LogRecord[] = [];
  #bytes = 0;
  /** Encoded, but not handed over yet. */
  #encoded: { readonly records: readonly LogRecord[]; readonly encodings: readonly CheckedEncoding[] } = NONE;
  #next = 0;

  constructor(
    maxBufferBytes: number,
    encode: (records: readonly LogRecord[]) => readonly CheckedEncoding[],
    take: (record: LogRecord, encoded: CheckedEncoding) => void,
  ) {
    this.#maxBytes = Math.min(MAX_BYTES, maxBufferBytes * PART_OF_BUDGET);
    this.#encode = encode;
    this.#take = take;
  }

  /** Keeps the record as it is now. False if it has to be taken at once. Throws what its getters throw. */
  keep({ time, level, urgent, text }: LogRecord): boolean {
    const bytes = this.#bytes + costOf(text.length);
    if (bytes > this.#maxBytes || text === '' || text.length > MAX_TEXT_LENGTH) return false;
    this.#bytes = bytes;
    this.#waiting.push({ time, level, urgent, text, fields: NO_FIELDS });
    return true;
  }

  /** Hands over all that waits. Whoever is told of a loss meanwhile may call it, too, and goes on where this one is. */
  drain(): void {
    while (this.#hasNext()) {
      const { records, encodings } = this.#encoded;
      const place = this.#next++;
      this.#take(records[place] as LogRecord, encodings[place] as CheckedEncoding);
    }
  }

  #hasNext(): boolean {
    if (this.#next < this.#encoded.records.length) return true;
    this.#next = 0;
    this.#encoded = NONE;
    if (this.#waiting.length === 0) return false;
    const records = this.#waiting.splice(0, MAX_TOGETHER);
    if (this.#waiting.length === 0) this.#bytes = 0;
    this.#encoded = { records, encodings: this.#encode(records) };
    return true;
  }
}

const NONE = { records: [], encodings: [] };

const NO_FIELDS = Object.freeze({});
