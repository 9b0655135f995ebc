import type { Clock } from '../contract/clock.js';
import type { Drop, DropReason, EncodedEvent } from '../contract/destination.js';
import { type DeliveryCode, type DeliveryError, isOperatorFault } from '../contract/errors.js';
import type { DeliveryOptions } from '../options/delivery-options.js';
import { onProcessEnd } from '../process/exit.js';
import { runAs } from '../process/feedback.js';
import { type Channel, type Channels, createChannels } from './channels.js';
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
  readonly #clock: Clock;
  readonly #channels: Channels;
  readonly #stderr: StderrSummary;
  readonly #onError: (error: DeliveryError) => unknown;
  readonly #onDrop: (drop: Drop) => unknown;
  readonly #onFailure: ((error: DeliveryError) => unknown) | undefined;
  #queue: (() => unknown)[] = [];
  readonly #drops = new Map<DropReason, QueuedDrop>();
  readonly #reportedAtMs = new Map<DeliveryCode, number>();
  #isScheduled = false;
  #isNotifying = false;
  #isSilent = false;
  #forgetExit: (() => void) | undefined;

  /** `onFailure` is called besides `onError`: the adapter's own way to say a failure. */
  constructor(
    destination: string,
    { onError, onDrop }: Pick<DeliveryOptions, 'onError' | 'onDrop'>,
    clock: Clock,
    onFailure?: (error: DeliveryError) => void,
  ) {
    this.#clock = clock;
    this.#channels = createChannels(destination);
    this.#stderr = new StderrSummary(destination, clock);
    this.#onError = onError ?? ((error) => this.#stderr.addFailure(error));
    this.#onDrop = onDrop ?? ((drop) => this.#stderr.addDrop(drop));
    this.#onFailure = onFailure;
  }

  /** A batch was delivered. The message is made only if a subscriber is there. */
  delivered(message: () => Parameters<Channels['delivered']['publish']>[0]): void {
    this.#publish(this.#channels.delivered, message);
  }

  /** A batch failed and is sent again. */
  retried(message: () => Parameters<Channels['retry']['publish']>[0]): void {
    this.#publish(this.#channels.retry, message);
  }

  /** An attempt failed. */
  attemptFailed(route: string, error: DeliveryError): void {
    this.#publish(this.#channels.error, () => ({ route, error }));
  }

  /** A failure is reported to `onError`, or stderr, and to `onFailure`. */
  failed(error: DeliveryError): void {
    if (this.#isQuiet(error)) return;
    this.#enqueue(() => this.#onError(error));
    this.failedElsewhere(error);
  }

  /** A failure that another thread has reported already: only `onFailure` is called. */
  failedElsewhere(error: DeliveryError): void {
    const onFailure = this.#onFailure;
    if (onFailure) this.#enqueue(() => onFailure(error));
  }

  /** Records were lost. */
  dropped(drop: Drop): void {
    if (this.#isSilent) return;
    const queued = this.#drops.get(drop.reason);
    if (queued) queued.add(drop);
    else this.#drops.set(drop.reason, new QueuedDrop(drop));
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
      for (let queue = this.#take(); queue.length > 0; queue = this.#take()) for (const each of queue) this.#call(each);
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

  #isQuiet(error: DeliveryError): boolean {
    if (!isOperatorFault(error)) return false;
    const nowMs = this.#clock.monotonic();
    if (nowMs < (this.#reportedAtMs.get(error.code) ?? Number.NEGATIVE_INFINITY) + OPERATOR_FAULT_QUIET_MS) return true;
    this.#reportedAtMs.set(error.code, nowMs);
    return false;
  }

  #publish<Message>(channel: Channel<Message>, makeMessage: () => Parameters<Channel<Message>['publish']>[0]): void {
    if (!channel.hasSubscribers) return;
    const message = makeMessage();
    this.#enqueue(() => channel.publish(message));
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
  #take(): readonly (() => unknown)[] {
    const queue = this.#queue;
    this.#queue = [];
    for (const drop of this.#drops.values()) {
      queue.push(() => this.#onDrop(drop.toDrop()));
      if (this.#channels.dropped.hasSubscribers) queue.push(() => this.#channels.dropped.publish(drop.toDrop()));
    }
    this.#drops.clear();
    return queue;
  }

  /** The callback is the application's: delivery goes on if it throws. */
  #call(callback: () => unknown): void {
    const failed = (): void => void this.callbackErrors++;
    try {
      const returned = callback();
      if (isThenable(returned)) returned.then(undefined, failed);
    } catch {
      failed();
    }
  }
}

/** The losses of one reason since the last notification. */
class QueuedDrop {
  #total: Omit<Drop, 'events'>;
  readonly #events: EncodedEvent[] = [];
  #eventBytes = 0;

  constructor({ events, ...first }: Drop) {
    this.#total = first;
    this.#addEvents(events);
  }

  add({ records, from, to, events, cause }: Drop): void {
    const total = this.#total;
    this.#total = {
      ...total,
      records: total.records + records,
      from: Math.min(total.from, from),
      to: Math.max(total.to, to),
      ...(total.cause === undefined && cause !== undefined && { cause }),
    };
    this.#addEvents(events);
  }

  toDrop(): Drop {
    return { ...this.#total, events: this.#events };
  }

  #addEvents(events: readonly EncodedEvent[]): void {
    for (const event of events) {
      if (this.#eventBytes >= MAX_DROP_BYTES) return;
      this.#eventBytes += Buffer.byteLength(event.payload);
      if (this.#eventBytes <= MAX_DROP_BYTES) this.#events.push(event);
    }
  }
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof (value as PromiseLike<unknown> | undefined)?.then === 'function';
}
