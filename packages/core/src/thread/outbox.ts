import { EndOfTurn } from '../tools/end-of-turn.js';
import { systemClock } from '../tools/system-clock.js';
import { lineOf, type WireForm, type WireRecord } from './protocol.js';

/** Records that cost more than this are handed over at once. */
const HANDOVER_BYTES = 512 * 1024;

/** Records that are not handed over to the worker yet. It is emptied at the end of the turn, so that log calls do not pay for it. */
export class Outbox {
  readonly #form: WireForm;
  readonly #onDue: () => void;
  #records: WireRecord[] = [];
  #bytes = 0;
  readonly #endOfTurn: EndOfTurn;

  /** `onDue` has to take the lines. */
  constructor(form: WireForm, onDue: () => void) {
    this.#form = form;
    this.#onDue = onDue;
    this.#endOfTurn = new EndOfTurn(systemClock, onDue);
  }

  /** Number of records. */
  get size(): number {
    return this.#records.length;
  }

  /** The bytes of the budget that they take. */
  get bytes(): number {
    return this.#bytes;
  }

  push(wire: WireRecord, costBytes: number): void {
    this.#records.push(wire);
    this.#bytes += costBytes;
    if (this.#bytes >= HANDOVER_BYTES) this.#onDue();
    else this.#endOfTurn.request();
  }

  /** Takes out all records, each as a line with its end. */
  take(): { readonly lines: readonly string[]; readonly costBytes: number } {
    const lines = this.#records.map((wire) => lineOf(wire, this.#form));
    const costBytes = this.#bytes;
    this.#records = [];
    this.#bytes = 0;
    return { lines, costBytes };
  }
}
