import { type DropReason, zeroByReason } from '../contract/destination.js';
import type { DeliveryCode, DeliveryError } from '../contract/errors.js';
import type { LedgerTotals } from './ledger.js';

/** All counters of a shipper, since its start unless stated otherwise. Plain data. */
export interface DeliveryStats extends LedgerTotals {
  /** Records that the service refused one by one, by reason. */
  readonly rejectedByReason: Readonly<Record<DropReason, number>>;
  /** Requests, repetitions included. */
  readonly requests: number;
  /** Bytes of the delivered batches, as the service counts them. */
  readonly bytes: number;
  /** Bytes of the request bodies that carried them. */
  readonly wireBytes: number;
  /** Failed attempts after which the batch goes again, whole or in halves, by code. */
  readonly retries: Readonly<Partial<Record<DeliveryCode, number>>>;
  /** Failed attempts after which the service may have stored the batch all the same: each can have made duplicates. */
  readonly ambiguous: number;
  /** The last failed attempt; `time` in epoch milliseconds. */
  readonly lastError: { readonly code: DeliveryCode; readonly message: string; readonly time: number } | undefined;
  /** Bytes of the budget in use now. */
  readonly bufferBytes: number;
  /** Age of the oldest pending record, in milliseconds; 0 when nothing is pending. */
  readonly oldestAgeMs: number;
  /** Requests in flight now. */
  readonly inFlight: number;
  /** Most requests in flight allowed now: fewer after throttling and timeouts, 1 in an outage. */
  readonly concurrency: number;
  /** Times that `onError` or `onDrop` threw, or rejected. */
  readonly callbackErrors: number;
}

export type AttemptStats = Pick<
  DeliveryStats,
  'requests' | 'bytes' | 'wireBytes' | 'retries' | 'ambiguous' | 'lastError'
>;

type Writable<T> = { -readonly [Name in keyof T]: T[Name] };

/** Counts attempts. */
export class AttemptCounter {
  readonly #counts: Writable<AttemptStats> = noAttempts();
  readonly #retries: Partial<Record<DeliveryCode, number>> = {};

  sent(): void {
    this.#counts.requests++;
  }

  stored(bytes: number, wireBytes: number): void {
    this.#counts.bytes += bytes;
    this.#counts.wireBytes += wireBytes;
  }

  failed({ code, message, ambiguous }: DeliveryError, time: number): void {
    if (ambiguous) this.#counts.ambiguous++;
    this.#counts.lastError = { code, message, time };
  }

  /** An attempt was given up in flight. */
  abandoned(): void {
    this.#counts.ambiguous++;
  }

  retried(code: DeliveryCode): void {
    this.#retries[code] = (this.#retries[code] ?? 0) + 1;
  }

  /** The counts as they are now. */
  get stats(): AttemptStats {
    return { ...this.#counts, retries: { ...this.#retries } };
  }
}

/** The counters of a shipper that has done nothing yet. `concurrency` is the option. */
export function emptyStats(concurrency: number): DeliveryStats {
  return {
    received: 0,
    delivered: 0,
    rejected: 0,
    rejectedByReason: zeroByReason(),
    dropped: zeroByReason(),
    spooled: 0,
    pending: 0,
    ...noAttempts(),
    bufferBytes: 0,
    oldestAgeMs: 0,
    inFlight: 0,
    concurrency,
    callbackErrors: 0,
  };
}

/** The counters of several shippers, at least one, as those of one. Ages are not added up: the highest counts. */
export function sumStats([first, ...others]: readonly DeliveryStats[]): DeliveryStats {
  return others.reduce(
    (a, b) => ({
      ...(add(a, b) as DeliveryStats),
      oldestAgeMs: Math.max(a.oldestAgeMs, b.oldestAgeMs),
      lastError: (a.lastError?.time ?? 0) > (b.lastError?.time ?? 0) ? a.lastError : b.lastError,
    }),
    first as DeliveryStats,
  );
}

function noAttempts(): AttemptStats {
  return { requests: 0, bytes: 0, wireBytes: 0, retries: {}, ambiguous: 0, lastError: undefined };
}

/** Adds up numbers, and those of nested objects, by name. */
function add(a: object, b: object): object {
  const total: Record<string, unknown> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const other = total[name];
    if (typeof value === 'number') total[name] = value + (typeof other === 'number' ? other : 0);
    else if (typeof value === 'object') total[name] = add((other as object | undefined) ?? {}, value);
  }
  return total;
}
