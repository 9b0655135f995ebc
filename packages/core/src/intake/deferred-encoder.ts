import { bufferCost } from '../accounting/ledger.js';
import type { TextRecord } from '../contract/destination.js';
import type { CheckedEncoding } from './encode.js';
import type { TimeWindow } from './time-window.js';

/** Most bytes of the budget that wait: about a millisecond of encoding. */
const MAX_BYTES = 512 * 1024;

/** The part of the budget that may wait: it is known before the budget is full. */
const PART_OF_BUDGET = 1 / 8;

/** A destination may refuse or split a longer text, or an empty one: it is encoded at once. */
const MAX_TEXT_LENGTH = 64 * 1024;

/** Records that are encoded together. Fewer cost more each; the texts of more become large objects. */
const MAX_TOGETHER = 256;

/** Keeps the records of a turn of the event loop, and encodes them together at its end: log calls do not pay for encoding. */
export class DeferredEncoder {
  readonly #maxBytes: number;
  readonly #window: TimeWindow;
  readonly #encode: (records: readonly TextRecord[]) => readonly CheckedEncoding[];
  readonly #onEncoded: (record: TextRecord, encoding: CheckedEncoding) => void;
  #waiting: TextRecord[] = [];
  #bytes = 0;

  constructor(
    maxBufferBytes: number,
    window: TimeWindow,
    encode: (records: readonly TextRecord[]) => readonly CheckedEncoding[],
    onEncoded: (record: TextRecord, encoding: CheckedEncoding) => void,
  ) {
    this.#maxBytes = Math.min(MAX_BYTES, maxBufferBytes * PART_OF_BUDGET);
    this.#window = window;
    this.#encode = encode;
    this.#onEncoded = onEncoded;
  }

  /** Keeps the record as it is now, with the time that the window allows. False if it has to be encoded at once. Throws if its getters throw. */
  defer({ time, level, urgent, text }: TextRecord): boolean {
    if (typeof text !== 'string' || text === '' || text.length > MAX_TEXT_LENGTH) return false;
    const bytes = this.#bytes + bufferCost(text.length);
    if (bytes > this.#maxBytes) return false;
    this.#bytes = bytes;
    this.#waiting.push({ time: this.#window.dateOf(time), level, urgent, text });
    return true;
  }

  /** Encodes all records that wait. */
  drain(): void {
    const records = this.#waiting;
    if (records.length === 0) return;
    this.#waiting = [];
    this.#bytes = 0;
    for (let start = 0; start < records.length; start += MAX_TOGETHER) {
      const together = records.slice(start, start + MAX_TOGETHER);
      const encodings = this.#encode(together);
      together.forEach((record, index) => {
        this.#onEncoded(record, encodings[index] as CheckedEncoding);
      });
    }
  }
}
