import { clearTimeout, setTimeout } from 'node:timers';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DeliveryCode, DeliveryError, orAborted } from '@logferry/core';
import type { TailEvent, TailSource } from './source.js';

/** How a source is followed. */
export interface FollowSettings {
  /** False: ends with the records that are there. */
  readonly follow: boolean;
  /** The wait between two looks for new records. */
  readonly pollMs: number;
  /** A page that takes longer is asked for again. @default 30_000 */
  readonly requestTimeoutMs?: number | undefined;
  /** Takes records, in order. The next ones are read when it has. */
  readonly show: (events: readonly TailEvent[]) => Promise<void>;
  /** Tells of a failure that may pass: once, until the source answers again. */
  readonly onFailure: (message: string) => void;
}

/** Reads a source until the signal aborts, or without `follow` up to its end. Rejects with an error that does not pass by itself. */
export async function followSource(source: TailSource, settings: FollowSettings, signal: AbortSignal): Promise<void> {
  const { follow, pollMs, requestTimeoutMs = REQUEST_TIMEOUT_MS, show, onFailure } = settings;
  const failures = new Failures(settings);
  let intervalMs = pollMs;
  try {
    while (true) {
      const page = await read(source, requestTimeoutMs, signal).catch((error: unknown) =>
        failures.judge(error, signal),
      );
      if (page instanceof Failure) {
        if (page.isNews) onFailure(page.message);
        if (page.isThrottling) intervalMs = Math.min(MAX_INTERVAL_MS, Math.max(intervalMs, MIN_INTERVAL_MS) * 2);
        await sleep(page.delayMs, undefined, { signal });
        continue;
      }
      failures.end();
      if (page.events.length > 0) await orAborted(show(page.events), signal, () => aborted(signal));
      if (page.isLast && !follow) return;
      await sleep(page.isLast ? intervalMs : Math.min(pollMs, page.pauseMs ?? 0), undefined, { signal });
      if (page.isLast) intervalMs = Math.max(pollMs, intervalMs * RECOVERY);
    }
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

/** After throttling the interval doubles, and comes back slowly. */
const MIN_INTERVAL_MS = 500;
const MAX_INTERVAL_MS = 30_000;
const RECOVERY = 0.9;

const REQUEST_TIMEOUT_MS = 30_000;

async function read(source: TailSource, timeoutMs: number, signal: AbortSignal): ReturnType<TailSource['nextPage']> {
  const attempt = new AbortController();
  const abort = (): void => attempt.abort();
  // It keeps the process alive, which the request does not.
  const timer = setTimeout(abort, timeoutMs);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await orAborted(source.nextPage(attempt.signal), signal, () => aborted(signal));
  } catch (error) {
    // The error of the request only says that it was aborted.
    if (!attempt.signal.aborted || signal.aborted || !DeliveryError.is(error)) throw error;
    const reason = `no answer within ${timeoutMs / 1000} s: check the network, and the proxy if there is one`;
    throw new DeliveryError('TIMEOUT', reason, { cause: error });
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', abort);
  }
}

function aborted(signal: AbortSignal): Error {
  return Object.assign(new Error('aborted', { cause: signal.reason }), { name: 'AbortError' });
}

/** A failure that may pass. */
class Failure {
  readonly message: string;
  /** It is to be told: it is no matter of the next request, and none was told since the last success. */
  readonly isNews: boolean;
  readonly isThrottling: boolean;
  readonly delayMs: number;

  constructor({ message, code, retryAfterMs = 0 }: DeliveryError, isNews: boolean, backoffMs: number) {
    this.message = message;
    this.isNews = isNews;
    this.isThrottling = code === 'THROTTLED';
    // Readers that were throttled together come back at different times.
    this.delayMs = Math.max(retryAfterMs, backoffMs * (0.5 + Math.random() / 2));
  }
}

/** The failures since the last success. */
class Failures {
  readonly #follow: boolean;
  readonly #backoffMs: number;
  #count = 0;
  #isTold = false;
  #hasWorked = false;

  constructor({ follow, pollMs }: Pick<FollowSettings, 'follow' | 'pollMs'>) {
    this.#follow = follow;
    this.#backoffMs = follow ? pollMs : Math.min(pollMs, MAX_BACKOFF_ONCE_MS);
  }

  end(): void {
    this.#count = 0;
    this.#isTold = false;
    this.#hasWorked = true;
  }

  /** Throws an error that ends it all. */
  judge(error: unknown, signal: AbortSignal): Failure {
    if (signal.aborted || !DeliveryError.is(error)) throw error;
    this.#count++;
    const isPassing = PASSING.has(error.code) && (this.#follow || this.#count < MAX_ATTEMPTS);
    // Credentials that have ended are renewed by the next request, and a connection that the service closed is made anew.
    const isRenewal = this.#count === 1 && (error.code === 'AGAIN' || (error.code === 'AUTH' && this.#hasWorked));
    if (isRenewal) return new Failure(error, false, 0);
    if (!isPassing) throw error;
    const isNews = !this.#isTold;
    this.#isTold = true;
    return new Failure(
      error,
      isNews,
      Math.min(MAX_INTERVAL_MS, this.#backoffMs * 2 ** Math.min(this.#count, MAX_DOUBLINGS)),
    );
  }
}

const PASSING: ReadonlySet<DeliveryCode> = new Set(['AGAIN', 'NETWORK', 'THROTTLED', 'TIMEOUT', 'UNAVAILABLE']);

const MAX_DOUBLINGS = 10;

/** Without `follow` somebody waits for the end. */
const MAX_ATTEMPTS = 6;
const MAX_BACKOFF_ONCE_MS = 200;
