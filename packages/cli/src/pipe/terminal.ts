import type { DeliveryError, Drop } from '@logferry/core';
import { systemClock } from '@logferry/core';
import { safeText } from '../safe-text.js';

/** Shortest time between two lines about losses. */
const DROPS_MS = 1000;

/** The control sequence that empties the line. */
const EMPTY_LINE = '\r\u001b[K';

/**
 * Writes for people, on stderr: on a terminal a status line that stays at the bottom, elsewhere nothing of what is well. Never throws:
 * a stderr that is closed is no reason to stop.
 */
export class Terminal {
  readonly #stream: NodeJS.WriteStream;
  readonly #isShared: boolean;
  #status = '';
  #drops = new Map<string, number>();
  #dropCause: unknown;
  #saidDropsMs = Number.NEGATIVE_INFINITY;
  #isLeaving = false;

  /** `isShared`: others write to the same terminal, and a status line would be torn. */
  constructor(stream: NodeJS.WriteStream, { isShared = false }: { readonly isShared?: boolean } = {}) {
    this.#stream = stream;
    this.#isShared = isShared;
    stream.on('error', () => {});
  }

  /** Whether a status line shows. */
  get isLive(): boolean {
    return this.#stream.isTTY === true && !this.#isShared;
  }

  /** Writes a line, above the status line. */
  say(text: string): void {
    this.#write(`${this.#status === '' ? '' : EMPTY_LINE}logferry: ${safeText(text)}\n${this.#status}`);
  }

  /** Replaces the status line; `''` takes it away. Nothing if there is no terminal. */
  status(text: string): void {
    if (!this.isLive || text === this.#status) return;
    // A line that wraps could not be emptied. A terminal that does not know its width says 0.
    this.#status = safeText(text).slice(0, (this.#stream.columns || 80) - 1);
    this.#write(`${EMPTY_LINE}${this.#status}`);
  }

  /** For `onError`. */
  sayFailure({ code, message }: DeliveryError): void {
    this.say(code === 'RECOVERED' || code === 'SPOOL' ? message : `${code}: ${message}`);
  }

  /** For `onDrop`: the losses of a second make one line. */
  sayDrop({ reason, records, cause }: Drop): void {
    this.#drops.set(reason, (this.#drops.get(reason) ?? 0) + records);
    // Who ended the command knows the cause.
    if (!this.#isLeaving) this.#dropCause ??= cause;
    if (this.#isLeaving || systemClock.monotonic() - this.#saidDropsMs >= DROPS_MS) this.sayDropsNow();
  }

  /** Says the losses that were not said yet. */
  sayDropsNow(): void {
    if (this.#drops.size === 0) return;
    const lost = [...this.#drops].map(([reason, records]) => `${records} ${reason}`).join(', ');
    const cause = this.#dropCause === undefined ? '' : `: ${firstLine(this.#dropCause)}`;
    this.#drops.clear();
    this.#dropCause = undefined;
    this.#saidDropsMs = systemClock.monotonic();
    this.say(`records lost: ${lost}${cause}`);
  }

  /** Ends the process. What is lost by that is said at once. */
  leave(code: number): never {
    this.status('');
    this.sayDropsNow();
    this.#isLeaving = true;
    return process.exit(code);
  }

  #write(text: string): void {
    if (!this.#stream.destroyed) this.#stream.write(text);
  }
}

function firstLine(cause: unknown): string {
  return (cause instanceof Error ? cause.message : String(cause)).split('\n', 1)[0] ?? '';
}
