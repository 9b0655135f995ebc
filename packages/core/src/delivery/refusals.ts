import type { EventColumns } from '../batch/event-columns.js';
import type { PendingBatch } from '../batch/pending-batch.js';
import { type DeliveryCode, DeliveryError } from '../contract/errors.js';

/** The codes by which a destination refuses content. */
export type RefusalCode = 'INVALID' | 'TOO_LARGE';

/** The meaning of a refusal. */
export type Verdict =
  /** A batch of several records: one of them may be bad, or the batch is too large. */
  | 'several'
  /** A single record, which is bad. */
  | 'bad'
  /** A single record, which is bad if the destination takes others. */
  | 'suspect'
  /** The same, but there is no other to send. */
  | 'alone'
  /** The destination refuses everything alike. */
  | 'setting';

export function isRefusal(code: DeliveryCode): code is RefusalCode {
  return code === 'INVALID' || code === 'TOO_LARGE';
}

/** The fault of a setting instead of the content: an operator has to mend it. */
export function blamedOnSetting(error: DeliveryError): DeliveryError {
  const { code, requestId, retryAfterMs, ambiguous } = error;
  const other = code === 'TOO_LARGE' ? 'smaller one' : 'other';
  const message = `the destination refused records, and has taken no ${other} since, so that a setting may be wrong: ${error.message}`;
  return new DeliveryError('MISCONFIGURED', message, { cause: error, requestId, retryAfterMs, ambiguous });
}

/** Refusals with no success in between, of a route or of a whole destination. */
export class RefusalStreak {
  /** Number of the destination's success that ended the last streak. */
  lastSuccess = 0;
  #refusals = 0;
  /** The largest search so far. */
  #mostRecords = 1;

  /** A batch of so many records was refused, for the first time since the last success. */
  add(records: number): void {
    this.#refusals++;
    this.#mostRecords = Math.max(this.#mostRecords, records);
  }

  /** A batch was taken, the destination's `success`th. */
  end(success: number): void {
    this.lastSuccess = success;
    this.#refusals = 0;
  }

  /** Whether there are more refusals than this many searches for a bad record take, so that a setting is to blame. */
  outlasts(searches: number): boolean {
    // One bad record costs two requests for each halving. Four more are spared to a few bad ones.
    return this.#refusals >= searches * (2 * Math.ceil(Math.log2(this.#mostRecords)) + 4);
  }
}

/** The route of a batch that was refused. */
interface RefusingRoute {
  readonly refusals: RefusalStreak;
  /** Number of its batches that are in flight or ready. */
  readonly active: number;
}

/** Searches for a bad record, on several routes, that may meet refusals only before all of them are blamed on a setting. */
const SEARCHES = 4;

/** Sizes to remember. Without the oldest, a record is kept that could be dropped. */
const MAX_SIZES = 64;

/**
 * What a destination took and refused lately, over all its batches. A refused record is bad only if the destination took
 * another one after that; one that is too large, only if it took a smaller one. Else a setting may be to blame, such as a
 * proxy that refuses everything.
 */
export class Refusals {
  readonly #streak = new RefusalStreak();
  /** Number of batches that were taken. */
  #successes = 0;
  /** Number of refusals. */
  #refused = 0;
  /** The smallest records that were taken, each the mean of its batch: each one later, and larger, than the one before it. */
  readonly #taken: { readonly success: number; readonly bytes: number }[] = [];
  /** Batches that wait for the proof that one of their records is bad. */
  readonly #suspects = new Set<PendingBatch>();

  /** The destination took a batch of this route. */
  taken({ bytes, count }: EventColumns, { refusals }: RefusingRoute): void {
    this.#successes++;
    for (const streak of [refusals, this.#streak]) streak.end(this.#successes);
    const sizes = this.#taken;
    const recordBytes = bytes / count;
    while ((sizes.at(-1)?.bytes ?? Number.NEGATIVE_INFINITY) >= recordBytes) sizes.pop();
    sizes.push({ success: this.#successes, bytes: recordBytes });
    if (sizes.length > MAX_SIZES) sizes.shift();
  }

  /** Judges a refusal of a batch in flight. `active` batches of the destination are in flight or ready. */
  judge(batch: PendingBatch, code: RefusalCode, route: RefusingRoute, active: number): Verdict {
    const { count } = batch.events;
    const { refusals } = route;
    batch.takenBefore ??= this.#successes;
    if (batch.refusal?.successes !== this.#successes) for (const streak of [refusals, this.#streak]) streak.add(count);
    batch.refusal = { code, successes: this.#successes };
    batch.refusedTurn = ++this.#refused;
    if (refusals.outlasts(1) || this.#streak.outlasts(SEARCHES)) return 'setting';
    if (count > 1) return 'several';
    if (this.#isBad(batch, { refusals, active: route.active - 1 })) return 'bad';
    return active > 1 ? 'suspect' : 'alone';
  }

  /** A batch waits for the proof that one of its records is bad. */
  suspect(batch: PendingBatch): void {
    this.#suspects.add(batch);
  }

  /** Takes out the suspects that are bad, or have a bad record, if the destination refuses them once more. */
  takeProven(stateOf: (lane: string) => RefusingRoute): readonly PendingBatch[] {
    const proven = this.#take((batch) => this.#isBad(batch, stateOf(batch.lane)));
    for (const batch of proven) batch.refusedTurn = 0;
    return proven;
  }

  /** Takes out all suspects. */
  takeSuspects(): readonly PendingBatch[] {
    return this.#take(() => true);
  }

  /**
   * Whether a single record that was refused is bad: the destination took another since, or a smaller one. Another route is
   * no proof while there are others to compare with on its own: the route's name may be refused.
   */
  #isBad(
    { events, refusal, takenBefore = this.#successes }: PendingBatch,
    { refusals, active }: RefusingRoute,
  ): boolean {
    if (active > 0 && refusals.lastSuccess <= takenBefore) return false;
    if (refusal?.code === 'INVALID') return this.#successes > takenBefore;
    const smallest = this.#taken.find(({ success }) => success > takenBefore);
    return smallest !== undefined && smallest.bytes < events.bytes;
  }

  #take(isDue: (batch: PendingBatch) => boolean): readonly PendingBatch[] {
    const taken: PendingBatch[] = [];
    for (const batch of this.#suspects) {
      if (batch.state === 'suspect' && !isDue(batch)) continue;
      this.#suspects.delete(batch);
      if (batch.state === 'suspect') taken.push(batch);
    }
    return taken;
  }
}
