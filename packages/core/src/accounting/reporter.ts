import type { Clock } from '../contract/clock.js';
import type { Drop, DropReason, EncodedEvent } from '../contract/destination.js';
import { type DeliveryCode, type DeliveryError, isOperatorFault } from '../contract/errors.js';
import type { DeliveryOptions } from '../options/delivery-options.js';
import { onProcessEnd } from '../process/exit.js';
import { runAs } from '../process/feedback.js';
import { channelOf, type Messages } from './channels.js';
import { StderrSummary } from './stderr-summary.js';

/** `onError` is called for a fault that only an operator can mend at most once in this time. */
const OPERATOR_FAULT_QUIET_MS = 60_000;

/** Most bytes of payloads in the `events` of one {@link Drop}. */
const MAX_DROP_BYTES = 1024 * 1024;

/**
 * Queues notifications where they arise, and makes them in one place, {@link notify}: at the end of the turn, of `flush`, of
 * `close`, and at the exit of the process. So callbacks never run inside a state change. The queue is bounded: losses of one
 * reason are one {@link Drop}, and a turn ends no more requests than `concurrency`.
 */
export class Reporter {
  /** Times that a callback threw, or rejected. */
  callbackErrors = 0;
  readonly #destination: string;
  readonly #clock: Clock;
  readonly #stderr: StderrSummary;
  readonly #onError: (error: DeliveryError) => unknown;
  readonly #onDrop: (drop: Drop) => unknown;
  readonly #onFailure: ((error: DeliveryError) => unknown) | undefined;
  readonly #queue: (() => unknown)[] = [];
  readonly #drops = new Map<DropReason, QueuedDrop>();
  readonly #reportedAtMs = new Map<DeliveryCode, number>();
  #isScheduled = false;
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
    this.#stderr = new StderrSummary(destination, clock);
    this.#onError = onError ?? ((error) => this.#stderr.addFailure(error));
    this.#onDrop = onDrop ?? ((drop) => this.#stderr.addDrop(drop));
    this.#onFailure = onFailure;
  }

  /** Publishes a message on a channel. The content is made only if a subscriber is there. */
  publish<Kind extends keyof Messages>(kind: Kind, makeContent: () => Omit<Messages[Kind], 'destination'>): void {
    const channel = channelOf(kind);
    if (!channel.hasSubscribers) return;
    const message = { destination: this.#destination, ...makeContent() };
    this.#enqueue(() => channel.publish(message));
  }

  /** Reports a failure to `onError`, or stderr, and to `onFailure`. */
  failed(error: DeliveryError): void {
    if (isOperatorFault(error)) {
      const nowMs = this.#clock.monotonic();
      const reportedAtMs = this.#reportedAtMs.get(error.code) ?? Number.NEGATIVE_INFINITY;
      if (nowMs < reportedAtMs + OPERATOR_FAULT_QUIET_MS) return;
      this.#reportedAtMs.set(error.code, nowMs);
    }
    this.#enqueue(() => this.#onError(error));
    this.failedInWorker(error);
  }

  /** Reports a failure that the worker has reported already: to `onFailure` only. */
  failedInWorker(error: DeliveryError): void {
    if (this.#onFailure) this.#enqueue(() => this.#onFailure?.(error));
  }

  /** Reports lost records. */
  dropped({ reason, records, from, to, events, cause }: Drop): void {
    if (this.#isSilent) return;
    const queued = this.#drops.get(reason) ?? { reason, records: 0, from, to, events: [], eventBytes: 0 };
    queued.records += records;
    queued.from = Math.min(queued.from, from);
    queued.to = Math.max(queued.to, to);
    if (cause !== undefined) queued.cause ??= cause;
    for (const event of events) {
      if (queued.eventBytes > MAX_DROP_BYTES) break;
      queued.eventBytes += Buffer.byteLength(event.payload);
      if (queued.eventBytes <= MAX_DROP_BYTES) queued.events.push(event);
    }
    this.#drops.set(reason, queued);
    this.#schedule();
  }

  /** Takes in a record that a callback logged: its losses are counted, not reported, so that reporting never feeds itself. */
  withoutReporting<T>(act: () => T): T {
    const before = this.#isSilent;
    this.#isSilent = true;
    try {
      return act();
    } finally {
      this.#isSilent = before;
    }
  }

  /** Makes all notifications that are queued. A callback that calls this changes nothing: the outer call goes on. */
  notify(): void {
    if (this.#isNotifying) return;
    this.#isNotifying = true;
    runAs('notifying', () => {
      for (let queue = this.#drainQueue(); queue.length > 0; queue = this.#drainQueue())
        for (const each of queue) this.#call(each);
    });
    this.#isNotifying = false;
    this.#forgetExit?.();
    this.#forgetExit = undefined;
    this.#stderr.scheduleSummary();
  }

  /** Makes all notifications that are queued, and ends the quiet time of stderr. */
  flush(): void {
    this.notify();
    this.#stderr.writeSummary();
  }

  #enqueue(notification: () => unknown): void {
    this.#queue.push(notification);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#forgetExit ??= onProcessEnd('exit', () => this.flush());
    this.#clock.defer(() => {
      this.#isScheduled = false;
      this.notify();
    });
  }

  /** Takes out the queue. Failures come before the losses that follow from them. */
  #drainQueue(): readonly (() => unknown)[] {
    for (const { eventBytes, ...drop } of this.#drops.values()) {
      this.#queue.push(() => this.#onDrop(drop));
      this.publish('dropped', () => drop);
    }
    this.#drops.clear();
    return this.#queue.splice(0);
  }

  /** The callback is the application's: delivery goes on if it throws. */
  #call(callback: () => unknown): void {
    const failed = (): void => void this.callbackErrors++;
    try {
      const returned = callback() as PromiseLike<unknown> | undefined;
      if (typeof returned?.then === 'function') returned.then(undefined, failed);
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
  /** Bytes of the payloads of `events`; more than the limit once one had no room. */
  eventBytes: number;
  cause?: unknown;
}
