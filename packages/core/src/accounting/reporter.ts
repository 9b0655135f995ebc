import type { Clock, Timer } from '../contract/clock.js';
import type { Drop, DropReason, EncodedEvent } from '../contract/destination.js';
import { type DeliveryError, isOperatorFault } from '../contract/errors.js';
import type { DeliveryOptions } from '../options/delivery-options.js';
import { onProcessEnd } from '../process/exit.js';
import { runCallback } from '../process/feedback.js';
import { EndOfTurn } from '../tools/end-of-turn.js';
import { isThenable } from '../tools/is-thenable.js';
import { channelOf, type Messages } from './channels.js';
import type { DebugLog } from './debug-log.js';
import { bufferCost } from './ledger.js';
import { StderrSummary } from './stderr-summary.js';

/** `onError` is called for a fault that only an operator can mend at most once in this time. */
const OPERATOR_FAULT_QUIET_MS = 60_000;

/** A destination may put something new into each message: then all are forgotten. */
const MAX_KEYS = 100;

/** Most bytes of the `events` of one {@link Drop}, as the budget counts them. */
const MAX_DROP_BYTES = 1024 * 1024;

/** After this many turns in a row with losses, those of a second are joined. */
const MAX_TURNS_IN_A_ROW = 10;

/** Losses that are joined are told in one call for each reason in this time. */
const JOINED_MS = 1000;

/**
 * Queues notifications where they arise, and makes them in one place, {@link notify}: at the end of the turn, of `flush`, of
 * `close`, and at the exit of the process. So callbacks never run inside a state change. The queue is bounded: losses of one
 * reason are one {@link Drop}, and a turn ends no more requests than `concurrency`. A callback that causes a loss, by whatever
 * detour, is called once a second.
 */
export class Reporter {
  /** Times that a callback threw, or rejected. */
  callbackErrors = 0;
  /** Gets what the channels get. */
  debugLog: DebugLog | undefined;
  readonly #destination: string;
  readonly #clock: Clock;
  readonly #stderr: StderrSummary;
  readonly #onError: (error: DeliveryError) => unknown;
  readonly #onDrop: (drop: Drop) => unknown;
  readonly #onFailure: ((error: DeliveryError) => unknown) | undefined;
  readonly #queue: (() => unknown)[] = [];
  readonly #drops = new Map<DropReason, QueuedDrop>();
  /** By the key of a failure. */
  readonly #quietUntilMs = new Map<string, number>();
  readonly #endOfTurn: EndOfTurn;
  #dropsTimer: Timer | undefined;
  /** Losses wait until this time. */
  #dropsFromMs = Number.NEGATIVE_INFINITY;
  #turnsInARow = 0;
  #isNotifying = false;
  #isSilent = false;
  #forgetExit: (() => void) | undefined;

  /** `onFailure` is called besides `onError`: an adapter emits an event of its framework from it. */
  constructor(
    destination: string,
    { onError, onDrop }: Pick<DeliveryOptions, 'onError' | 'onDrop'>,
    clock: Clock,
    onFailure?: (error: DeliveryError) => void,
  ) {
    this.#destination = destination;
    this.#clock = clock;
    this.#endOfTurn = new EndOfTurn(clock, () => this.notify());
    this.#stderr = new StderrSummary(destination, clock);
    this.#onError = onError ?? ((error) => this.#stderr.addFailure(error));
    this.#onDrop = onDrop ?? ((drop) => this.#stderr.addDrop(drop));
    this.#onFailure = onFailure;
  }

  /** Publishes a message on a channel, and in the debug log. The content is made only if one of them is there. */
  publish<Kind extends keyof Messages>(kind: Kind, makeContent: () => Omit<Messages[Kind], 'destination'>): void {
    const channel = channelOf(kind);
    const { debugLog } = this;
    if (!channel.hasSubscribers && !debugLog) return;
    const message = { destination: this.#destination, ...makeContent() } as Messages[Kind];
    this.#enqueue(() => {
      debugLog?.tell(kind, message);
      channel.publish(message);
    });
  }

  /**
   * Reports a failure that has to be known to `onError`, or stderr, and to `onFailure`: `incidents.ts` says which attempts these are.
   * Of failures that only an operator can mend, and that have the same key, it reports the first in a minute.
   */
  failed(error: DeliveryError, key: string = error.code): void {
    if (isOperatorFault(error)) {
      const nowMs = this.#clock.monotonic();
      if (nowMs < (this.#quietUntilMs.get(key) ?? Number.NEGATIVE_INFINITY)) return;
      if (this.#quietUntilMs.size >= MAX_KEYS) this.#quietUntilMs.clear();
      this.#quietUntilMs.set(key, nowMs + OPERATOR_FAULT_QUIET_MS);
    }
    this.failedElsewhere(error);
  }

  /** Reports a failure that another reporter has let through: that of a worker thread. `isTold`: it has told `onError` of it. */
  failedElsewhere(error: DeliveryError, isTold = false): void {
    if (!isTold) this.#enqueue(() => this.#onError(error));
    if (this.#onFailure) this.#enqueue(() => this.#onFailure?.(error));
  }

  /**
   * Reports lost records. `wasKept`: the core had accepted them. A record of a callback that is refused at once is not
   * reported; kept records that it evicts are, with the next notification.
   */
  dropped({ reason, records, from, to, events, cause }: Drop, wasKept: boolean): void {
    if (this.#isSilent && !wasKept) return;
    const queued = this.#drops.get(reason) ?? { reason, records: 0, from, to, events: [], costBytes: 0 };
    queued.records += records;
    queued.from = Math.min(queued.from, from);
    queued.to = Math.max(queued.to, to);
    if (cause !== undefined) queued.cause ??= cause;
    for (const event of events) {
      if (queued.costBytes > MAX_DROP_BYTES) break;
      queued.costBytes += bufferCost(Buffer.byteLength(event.payload));
      if (queued.costBytes <= MAX_DROP_BYTES) queued.events.push(event);
    }
    this.#drops.set(reason, queued);
    if (!this.#isSilent) this.#scheduleDrops();
  }

  /** Lets the channel know of a loss that another reporter has told `onDrop` of: that of a worker thread. */
  droppedElsewhere(drop: Drop): void {
    this.publish('dropped', () => drop);
  }

  /** Whether a callback runs now. */
  get isNotifying(): boolean {
    return this.#isNotifying;
  }

  /** Takes in a record that a callback logged. Its losses make no further notification, so that reporting never feeds itself. */
  withoutReporting<T>(act: () => T): T {
    const before = this.#isSilent;
    this.#isSilent = true;
    try {
      return act();
    } finally {
      this.#isSilent = before;
    }
  }

  /** Makes the notifications that are due. A callback that calls this changes nothing: the outer call goes on. */
  notify(): void {
    if (this.#isNotifying) return;
    if (this.#clock.monotonic() >= this.#dropsFromMs) this.#enqueueDrops();
    this.#makeAll();
    this.#stderr.scheduleSummary();
  }

  /** Makes all notifications, also if a callback ends the process, and ends the quiet time of stderr. */
  flush(): void {
    this.#enqueueDrops();
    this.#makeAll();
    this.#stderr.writeSummary();
  }

  /** Behind the failures that they follow from. */
  #enqueueDrops(): void {
    if (this.#drops.size === 0) return;
    const nowMs = this.#clock.monotonic();
    const isInARow = nowMs < this.#dropsFromMs + JOINED_MS;
    this.#turnsInARow = isInARow ? this.#turnsInARow + 1 : 1;
    this.#dropsFromMs = this.#turnsInARow < MAX_TURNS_IN_A_ROW ? nowMs : nowMs + JOINED_MS;
    for (const { costBytes, ...drop } of this.#drops.values()) {
      this.#queue.push(() => this.#onDrop(drop));
      this.publish('dropped', () => drop);
    }
    this.#drops.clear();
  }

  #makeAll(): void {
    const before = this.#isNotifying;
    this.#isNotifying = true;
    // One at a time: a callback may call process.exit().
    for (let next = this.#queue.shift(); next; next = this.#queue.shift()) this.#call(next);
    this.#isNotifying = before;
    if (this.#drops.size > 0) return;
    this.#forgetExit?.();
    this.#forgetExit = undefined;
  }

  #enqueue(notification: () => unknown): void {
    this.#queue.push(notification);
    this.#schedule();
  }

  #scheduleDrops(): void {
    const waitMs = this.#dropsFromMs - this.#clock.monotonic();
    if (waitMs <= 0) this.#schedule();
    else if (!this.#dropsTimer) {
      this.#watchExit();
      this.#dropsTimer = this.#clock.setTimer(() => {
        this.#dropsTimer = undefined;
        this.notify();
      }, waitMs);
      this.#dropsTimer.unref();
    }
  }

  /** At the end of the turn. */
  #schedule(): void {
    this.#watchExit();
    this.#endOfTurn.request();
  }

  #watchExit(): void {
    this.#forgetExit ??= onProcessEnd('exit', () => this.flush());
  }

  /** The callback is the application's: delivery goes on if it throws. */
  #call(callback: () => unknown): void {
    const failed = (): void => void this.callbackErrors++;
    try {
      const returned = runCallback(callback);
      if (isThenable(returned)) returned.then(undefined, failed);
    } catch {
      failed();
    }
  }
}

/** The losses of one reason since the last notification. */
interface QueuedDrop {
  readonly reason: DropReason;
  records: number;
  from: number;
  to: number;
  readonly events: EncodedEvent[];
  /** Bytes of `events`; more than the limit once one had no room. */
  costBytes: number;
  cause?: unknown;
}
