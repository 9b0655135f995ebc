import type { Readable } from 'node:stream';
import { clearInterval, clearTimeout, setInterval, setTimeout } from 'node:timers';
import type { RecordReader } from '../lines/record-reader.js';
import type { Session } from './session.js';
import type { Tee } from './tee.js';
import { untilAborted } from './waits.js';

/** After so long without input the lines that are held, since a line could still belong to them, are a record. */
const IDLE_MS = 200;

/** Time for the last words of a program that got the same signal, and for those of programs that a program left behind. */
const LAST_WORDS_MS = 2000;

/** How often is looked whether the input is held back. */
const TICK_MS = 50;

/** How an input is read. */
export interface InputOptions {
  /** Where the input is passed on to, unchanged. */
  readonly tee?: Tee | undefined;
  /** Aborted when the input is to end soon: what comes within two seconds still counts, and is lost if there is no room for it. */
  readonly asked: AbortSignal;
  /** Aborted when the writer is gone. Others may still write: two seconds count, without those in which the input is held back. */
  readonly deserted?: AbortSignal;
}

/**
 * Reads an input to its end, and hands its records to the shipper. The input is held back while the shipper has no room. Rejects with the
 * error of an input that cannot be read; the records before it are handed over.
 *
 * @returns false if it was left before its end
 */
export async function shipInput(
  input: Readable,
  reader: RecordReader,
  { shipper, chunkBytes }: Session,
  { tee, asked, deserted }: InputOptions,
): Promise<boolean> {
  const leaving = new Leaving(input, asked, deserted);
  const read = async (chunk: Buffer): Promise<void> => {
    for (let start = 0; start < chunk.length; start += chunkBytes) {
      await leaving.holdBack(shipper.ready());
      shipper.together(() => reader.read(chunk.subarray(start, start + chunkBytes)));
    }
    if (tee) await leaving.holdBack(tee.passOn(chunk));
  };
  let idle: NodeJS.Timeout | undefined;
  try {
    for await (const chunk of input as AsyncIterable<Buffer>) {
      clearTimeout(idle);
      await read(chunk);
      if (reader.hasHeld) idle = setTimeout(() => reader.flush(), IDLE_MS);
    }
  } catch (error) {
    if (!leaving.isDone) throw error;
  } finally {
    clearTimeout(idle);
    if (leaving.rest) await read(leaving.rest);
    leaving.end();
    shipper.together(() => reader.end());
  }
  return !leaving.isCut;
}

/** Leaves an input before its end. */
class Leaving {
  /** What had been read from the input by then. */
  rest: Buffer | undefined;
  readonly #input: Readable;
  readonly #left = new AbortController();
  readonly #forget: () => void;
  #timer: NodeJS.Timeout | undefined;
  #ticks: NodeJS.Timeout | undefined;
  #isHeldBack = false;
  #isCut = false;

  constructor(input: Readable, asked: AbortSignal, deserted: AbortSignal | undefined) {
    this.#input = input;
    const soon = (): void => {
      this.#timer = setTimeout(() => this.#leave(), LAST_WORDS_MS);
    };
    const whenFree = (): void => this.#countFree();
    const forgets = [onAbort(asked, soon), deserted && onAbort(deserted, whenFree)];
    this.#forget = () => {
      for (const forget of forgets) forget?.();
    };
  }

  /** Whether the input would have gone on. */
  get isCut(): boolean {
    return this.#isCut;
  }

  get isDone(): boolean {
    return this.#left.signal.aborted;
  }

  /** Waits, no longer than the input is read. */
  async holdBack(free: Promise<unknown>): Promise<void> {
    this.#isHeldBack = true;
    await untilAborted(free, this.#left.signal);
    this.#isHeldBack = false;
  }

  /** The input is read. */
  end(): void {
    this.#forget();
    clearTimeout(this.#timer);
    clearInterval(this.#ticks);
  }

  #countFree(): void {
    let leftMs = LAST_WORDS_MS;
    this.#ticks = setInterval(() => {
      if (!this.#isHeldBack) leftMs -= TICK_MS;
      if (leftMs <= 0) this.#leave();
    }, TICK_MS);
  }

  #leave(): void {
    if (this.isDone) return;
    // An input is destroyed as soon as its last chunk was read, which may still wait for room.
    this.#isCut = !this.#input.destroyed;
    if (this.#isCut) this.rest = this.#input.read() ?? undefined;
    this.#left.abort();
    this.#input.destroy();
  }
}

/** Calls when the signal is aborted, or at once. Returns the function that forgets it. */
function onAbort(signal: AbortSignal, act: () => void): () => void {
  if (signal.aborted) act();
  else signal.addEventListener('abort', act, { once: true });
  return () => signal.removeEventListener('abort', act);
}
