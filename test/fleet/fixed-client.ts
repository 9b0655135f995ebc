import type { Account, Answer } from './account.js';
import type { Client, Storage } from './client.js';
import type { FleetTime } from './time.js';

/** The default `uploadRate` of winston-cloudwatch 6.3. */
const UPLOAD_MS = 2000;

/** After a failure it makes the same request three times more, at once. */
const REPETITIONS = 3;

/** The time of `kthxbye()`. */
const CLOSE_MS = 10_000;

/** Time between two looks of `kthxbye()`: a timer of 0 ms there. */
const LOOK_MS = 10;

/** A megabyte of records of this size. */
const MAX_RECORDS = 8000;

/** The standard retries of the AWS SDK for JavaScript 3, below each request: attempts, and waits with full jitter. */
const SDK = { attempts: 3, baseMs: 100, throttledBaseMs: 500, tokens: 500, retryTokens: 5 };

/** `drops`: as winston-cloudwatch does. `keeps`: a batch that failed goes with the next one, for as long as it takes. */
export type AfterFailure = 'drops' | 'keeps';

/**
 * A process that ships as winston-cloudwatch 6.3 does: a timer of 2 s, one request at a time, failures repeated at once. Its requests to
 * find and create the stream are left out.
 */
export class FixedClient implements Client {
  lost = 0;
  readonly #time: FleetTime;
  readonly #account: Account;
  readonly #storage: Storage;
  readonly #random: () => number;
  readonly #afterFailure: AfterFailure;
  #queue: number[] = [];
  #inFlight: readonly number[] = [];
  #isTicking = false;
  #isClosing = false;
  #tokens = SDK.tokens;

  constructor(time: FleetTime, account: Account, storage: Storage, random: () => number, afterFailure: AfterFailure) {
    this.#time = time;
    this.#account = account;
    this.#storage = storage;
    this.#random = random;
    this.#afterFailure = afterFailure;
  }

  get pending(): number {
    return this.#queue.length + this.#inFlight.length;
  }

  log(number: number): void {
    this.#queue.push(number);
    if (this.#isTicking) return;
    this.#isTicking = true;
    this.#tick();
  }

  async close(): Promise<void> {
    this.#isClosing = true;
    const deadlineMs = this.#time.nowMs + CLOSE_MS;
    let hasFailed = false;
    while (!hasFailed && this.#queue.length + this.#inFlight.length > 0 && this.#time.nowMs < deadlineMs) {
      if (this.#inFlight.length === 0) hasFailed = !(await this.#submit()) && this.#afterFailure === 'drops';
      else await this.#wait(LOOK_MS);
    }
    this.#lose(this.#queue);
    this.#queue = [];
  }

  #tick(): void {
    this.#time.after(UPLOAD_MS, () => {
      if (this.#isClosing) return;
      void this.#submit();
      this.#tick();
    });
  }

  /** Sends all that waits, unless a request is in flight. Returns whether it arrived. */
  async #submit(): Promise<boolean> {
    if (this.#inFlight.length > 0 || this.#queue.length === 0) return true;
    this.#inFlight = this.#queue.splice(0, MAX_RECORDS);
    let isStored = false;
    const repetitions = this.#afterFailure === 'drops' ? REPETITIONS : 0;
    for (let times = 0; times <= repetitions && !isStored; times++) isStored = await this.#putByAwsSdk();
    if (!isStored && this.#afterFailure === 'drops') this.#lose(this.#inFlight);
    else if (!isStored) this.#queue = [...this.#inFlight, ...this.#queue];
    this.#inFlight = [];
    return isStored;
  }

  /** One call of the SDK. */
  async #putByAwsSdk(): Promise<boolean> {
    let paidTokens = 0;
    for (let attempt = 0; ; attempt++) {
      const answer = await this.#put();
      if (answer === 'stored') {
        this.#tokens = Math.min(SDK.tokens, this.#tokens + (paidTokens || 1));
        return true;
      }
      if (attempt + 1 >= SDK.attempts || this.#tokens < SDK.retryTokens) return false;
      this.#tokens -= SDK.retryTokens;
      paidTokens = SDK.retryTokens;
      const baseMs = answer === 'throttled' ? SDK.throttledBaseMs : SDK.baseMs;
      await this.#wait(this.#random() * baseMs * 2 ** attempt);
    }
  }

  #lose(records: readonly number[]): void {
    this.lost += records.length;
    for (const number of records) this.#storage.lose(number);
  }

  #put(): Promise<Answer> {
    const records = this.#inFlight;
    return new Promise((resolve) =>
      this.#account.request(() => {
        for (const number of records) this.#storage.store(number);
        return records.length;
      }, resolve),
    );
  }

  #wait(ms: number): Promise<void> {
    return new Promise((resolve) => void this.#time.after(ms, resolve));
  }
}
