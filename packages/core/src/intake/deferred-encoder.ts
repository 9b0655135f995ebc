import { bufferCost } from '../accounting/ledger.js';
import type { LogRecord } from '../contract/record.js';
import type { CheckedEncoding } from './encode.js';

/** Most that waits, in bytes of the budget: about a millisecond of encoding. */
const MAX_BYTES = 512 * 1024;

/** The part of the budget that may wait, so that it is known before the budget is full. */
const PART_OF_BUDGET = 1 / 8;

/** Longer texts, and none, are the ones that a destination may refuse or split: they are judged at once. */
const MAX_TEXT_LENGTH = 64 * 1024;

/** Records that are encoded together: fewer cost more each, and the texts of more become large objects. */
const MAX_TOGETHER = 256;

/** Records that wait for the end of the turn, where they are encoded: a log call should not pay for that. */
export class DeferredEncoder {
  readonly #maxBytes: number;
  readonly #encode: (records: readonly LogRecord[]) => readonly CheckedEncoding[];
  readonly #take: (record: LogRecord, encoded: CheckedEncoding) => void;
  #waiting: LogRecord[] = [];
  #bytes = 0;
  /** Encoded, but not handed over yet. */
  #encoded = NONE;
  #next = 0;
  /** How many records ever waited, and how many of them were handed over. */
  #kept = 0;
  #taken = 0;

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
  defer({ time, level, urgent, text }: LogRecord): boolean {
    if (typeof text !== 'string' || text === '' || text.length > MAX_TEXT_LENGTH) return false;
    const bytes = this.#bytes + bufferCost(text.length);
    if (bytes > this.#maxBytes) return false;
    this.#bytes = bytes;
    this.#kept++;
    this.#waiting.push({ time, level, urgent, text, fields: NO_FIELDS });
    return true;
  }

  /**
   * Hands over all that has come so far. Whoever is told of a loss meanwhile may call it, too, and goes on where this one
   * is; what comes meanwhile waits for the next time.
   */
  drain(): void {
    const last = this.#kept;
    while (this.#taken < last && this.#hasNext()) {
      const { records, encodings } = this.#encoded;
      const place = this.#next++;
      this.#taken++;
      this.#take(records[place] as LogRecord, encodings[place] as CheckedEncoding);
    }
    if (this.#next === this.#encoded.records.length) this.#hold(NONE);
  }

  #hasNext(): boolean {
    if (this.#next < this.#encoded.records.length) return true;
    if (this.#waiting.length === 0) return false;
    const records = this.#waiting.splice(0, MAX_TOGETHER);
    if (this.#waiting.length === 0) this.#bytes = 0;
    this.#hold({ records, encodings: this.#encode(records) });
    return true;
  }

  #hold(encoded: Encoded): void {
    this.#encoded = encoded;
    this.#next = 0;
  }
}

interface Encoded {
  readonly records: readonly LogRecord[];
  readonly encodings: readonly CheckedEncoding[];
}

const NONE: Encoded = { records: [], encodings: [] };

const NO_FIELDS = Object.freeze({});
