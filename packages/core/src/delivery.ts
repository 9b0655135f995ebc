import { readOutcome, type Stored, unexpected } from './answer.js';
import type { Clock, Timer } from './clock.js';
import type { Destination, DropReason } from './destination.js';
import { type DeliveryCode, DeliveryError } from './errors.js';
import { Lanes } from './lanes.js';
import type { Books, Entry } from './ledger.js';
import type { ResolvedDeliveryOptions } from './options.js';
import type { Parcel } from './parcel.js';
import { isOperatorFault, judge, type RetryVerdict } from './policy.js';
import type { Reporter } from './report.js';

const OPERATOR_FAULT_QUIET_MS = 60_000;

/** Less time than this before the deadline of `close()` is not worth another try. */
const LAST_TRY_MS = 100;

/** What delivery has done so far, and does now. */
export interface DeliveryCounters {
  /** Requests made, with all repetitions. */
  readonly requests: number;
  /** Bytes of the delivered batches, as the service counts them. */
  readonly bytes: number;
  /** Bytes of the request bodies that carried them. */
  readonly wireBytes: number;
  /** Failed attempts, by code. */
  readonly failures: Readonly<Partial<Record<DeliveryCode, number>>>;
  /** Failed attempts after which the service may have stored the batch all the same: each can have made duplicates. */
  readonly ambiguous: number;
  /** Requests in flight now. */
  readonly inFlight: number;
  /** Most requests in flight allowed now. */
  readonly concurrency: number;
}

export interface DeliveryParts {
  readonly destination: Destination;
  readonly options: ResolvedDeliveryOptions;
  readonly books: Books;
  readonly reporter: Reporter;
  readonly clock: Clock;
  readonly random: () => number;
  /** Called after every answer. */
  readonly landed: () => void;
}

/** Sealed batches wait for a slot, are tried, backed off, halved. The only retry loop. */
export class Delivery {
  readonly #parts: DeliveryParts;
  readonly lanes: Lanes;
  readonly #flights = new Map<Parcel, AbortController>();
  #deadlineMs = Number.POSITIVE_INFINITY;
  #concurrency: number;
  /** The last request that was in flight when the concurrency was halved. */
  #halvedAtRequest = 0;
  #requests = 0;
  #bytes = 0;
  #wireBytes = 0;
  #ambiguous = 0;
  readonly #failures: Partial<Record<DeliveryCode, number>> = {};
  readonly #toldMs = new Map<DeliveryCode, number>();

  constructor(parts: DeliveryParts) {
    this.#parts = parts;
    this.lanes = new Lanes(parts.options.ordered);
    this.#concurrency = parts.options.concurrency;
  }

  enqueue(parcel: Parcel): void {
    this.lanes.push(parcel);
  }

  /** Starts as many attempts as may run now. */
  dispatch(): void {
    while (this.#flights.size < this.#slots) {
      const parcel = this.lanes.takeNext(this.#parts.clock.monotonic(), this.#slots);
      if (!parcel) return;
      void this.#attempt(parcel);
    }
  }

  /** When there is something to dispatch next, on the monotonic clock; an answer that comes sooner changes it. */
  get wakeAtMs(): number {
    return this.#flights.size < this.#slots ? this.lanes.wakeAtMs(this.#slots) : Number.POSITIVE_INFINITY;
  }

  /** Ends every backoff; what fails again backs off from the start. */
  wake(): void {
    this.lanes.wake();
    for (const parcel of this.#live()) parcel.failures = 0;
  }

  /** From now on nothing waits for a try that would come after the deadline. */
  setDeadline(deadlineMs: number): void {
    this.#deadlineMs = deadlineMs;
  }

  /** Gives up all that is left. */
  abandon(): void {
    for (const parcel of [...this.#live()]) {
      if (parcel.state === 'flying') this.#ambiguous++;
      else this.lanes.remove(parcel);
      this.#lose(parcel, 'undeliverable');
    }
    for (const controller of this.#flights.values()) controller.abort();
    this.#flights.clear();
  }

  /** Whether all records up to this number, in order of acceptance, are settled. */
  isSettledUpTo(seq: number): boolean {
    for (const parcel of this.#live()) if (parcel.firstSeq <= seq) return false;
    return true;
  }

  get counters(): DeliveryCounters {
    return {
      requests: this.#requests,
      bytes: this.#bytes,
      wireBytes: this.#wireBytes,
      failures: { ...this.#failures },
      ambiguous: this.#ambiguous,
      inFlight: this.#flights.size,
      concurrency: this.#slots,
    };
  }

  async #attempt(parcel: Parcel): Promise<void> {
    const controller = new AbortController();
    this.#flights.set(parcel, controller);
    const request = ++this.#requests;
    const answer = await this.#send(parcel, controller);
    this.lanes.landed(parcel);
    if (parcel.state !== 'settled') {
      if ('stored' in answer) this.#succeeded(parcel, answer);
      else this.#failed(parcel, answer, request);
    }
    this.#flights.delete(parcel);
    this.lanes.tidy(parcel.route);
    this.#parts.landed();
  }

  /** One attempt with a hard limit of time. Never throws. */
  async #send(parcel: Parcel, controller: AbortController): Promise<Stored | DeliveryError> {
    const { destination, options, clock } = this.#parts;
    let timer: Timer | undefined;
    const overtime = new Promise<DeliveryError>((resolve) => {
      timer = clock.setTimer(() => {
        const message = `no answer within ${options.requestTimeoutMs} ms`;
        resolve(new DeliveryError('TIMEOUT', message, { ambiguous: true }));
        controller.abort();
      }, options.requestTimeoutMs);
      timer.unref();
    });
    try {
      const answer = await Promise.race([overtime, destination.send(parcel.batch, controller.signal)]);
      return DeliveryError.is(answer) ? answer : readOutcome(answer);
    } catch (error) {
      return DeliveryError.is(error) ? error : unexpected(error);
    } finally {
      timer?.cancel();
    }
  }

  #succeeded(parcel: Parcel, { wireBytes, rejections }: Stored): void {
    const { books, options } = this.#parts;
    this.lanes.succeeded(parcel);
    this.#concurrency = Math.min(options.concurrency, this.#concurrency + 1 / this.#concurrency);
    this.#bytes += parcel.batch.bytes;
    this.#wireBytes += wireBytes;
    parcel.state = 'settled';
    const lost = new Map<DropReason, Entry[]>();
    for (const [index, entry] of parcel.entries.entries()) {
      const reason = rejections.get(index);
      if (reason === undefined) books.deliver(entry);
      else if (lost.get(reason)?.push(entry) === undefined) lost.set(reason, [entry]);
    }
    for (const [reason, entries] of lost) books.lose(entries, { reason, rejected: true });
  }

  #failed(parcel: Parcel, error: DeliveryError, request: number): void {
    const { clock, options, random } = this.#parts;
    const nowMs = clock.monotonic();
    this.#failures[error.code] = (this.#failures[error.code] ?? 0) + 1;
    if (error.ambiguous) this.#ambiguous++;
    if (error.code === 'THROTTLED') this.#halveConcurrency(request);
    const failures = Math.max(parcel.failures, this.lanes.failuresOf(parcel.route));
    const verdict = judge(error, { failures, repeated: parcel.repeated }, options.retry, random);
    // Before a loss that follows from it.
    if (verdict.next !== 'repeat') this.#tell(error, nowMs);
    if (verdict.next === 'retry') {
      this.#retry(parcel, verdict, nowMs);
    } else if (verdict.next === 'halve') this.#halve(parcel, verdict.reason);
    else {
      parcel.repeated = true;
      this.lanes.putBack([parcel]);
    }
  }

  /** Puts the batch back for a later try; its last one comes when its first record reaches the age limit. */
  #retry(parcel: Parcel, { delayMs, askedMs, isSlow }: RetryVerdict, nowMs: number): void {
    const expiresMs = parcel.acceptedAtMs + this.#parts.options.retry.maxAgeMs;
    const remainingMs = this.#deadlineMs - nowMs;
    // The last seconds of close() are for more tries, however long the backoff has grown.
    const hurries = delayMs > remainingMs && askedMs <= remainingMs && remainingMs > LAST_TRY_MS && !isSlow;
    parcel.notBeforeMs = Math.min(nowMs + (hurries ? remainingMs / 2 : delayMs), expiresMs);
    this.lanes.failed(parcel, parcel.notBeforeMs, Math.min(nowMs + askedMs, expiresMs));
    if (nowMs >= expiresMs) this.#lose(parcel, 'expired');
    else if (parcel.notBeforeMs > this.#deadlineMs) this.#lose(parcel, 'undeliverable');
    else {
      parcel.failures++;
      parcel.repeated = false;
      this.lanes.putBack([parcel]);
    }
  }

  #halve(parcel: Parcel, reason: DropReason): void {
    if (parcel.count === 1) this.#lose(parcel, reason);
    else {
      parcel.state = 'settled';
      this.lanes.putBack(parcel.halves(this.#parts.options.limits.baseBytes(parcel.route)));
    }
  }

  /** Once for all requests that were in flight together. */
  #halveConcurrency(request: number): void {
    if (request <= this.#halvedAtRequest) return;
    this.#halvedAtRequest = this.#requests;
    this.#concurrency = Math.max(1, this.#concurrency / 2);
  }

  #lose(parcel: Parcel, reason: DropReason): void {
    parcel.state = 'settled';
    this.#parts.books.lose(parcel.entries, { reason, rejected: false });
  }

  #tell(error: DeliveryError, nowMs: number): void {
    if (isOperatorFault(error)) {
      const lastMs = this.#toldMs.get(error.code) ?? Number.NEGATIVE_INFINITY;
      if (nowMs - lastMs < OPERATOR_FAULT_QUIET_MS) return;
      this.#toldMs.set(error.code, nowMs);
    }
    this.#parts.reporter.onError(error);
  }

  get #slots(): number {
    return Math.floor(this.#concurrency);
  }

  *#live(): Generator<Parcel> {
    yield* this.#flights.keys();
    yield* this.lanes.waiting();
  }
}
