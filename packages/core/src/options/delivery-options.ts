import type { BatchLimits, DropReason, EncodedEvent } from '../contract/destination.js';
import type { DeliveryError } from '../contract/errors.js';
import {
  booleanOption,
  choiceOption,
  functionOption,
  numberOption,
  objectOption,
  refuseUnknownOptions,
  wrongOption,
} from './checks.js';

const MIB = 1024 * 1024;

/** Records that were lost together, and why. */
export interface Drop {
  readonly reason: DropReason;
  /** How many records. */
  readonly records: number;
  /** Time of the earliest of them, in epoch milliseconds. */
  readonly from: number;
  /** Time of the latest of them, in epoch milliseconds. */
  readonly to: number;
  /** What was lost, as far as it was encoded. */
  readonly events: readonly EncodedEvent[];
}

/** When and how long a failed batch is tried again. */
export interface RetryOptions {
  /** First backoff after a failure of service or network, in milliseconds; doubles each time, with full jitter. @default 200 */
  readonly baseMs?: number | undefined;
  /** First backoff after throttling, in milliseconds. @default 1000 */
  readonly throttledBaseMs?: number | undefined;
  /** Longest backoff, in milliseconds. @default 30_000 */
  readonly capMs?: number | undefined;
  /** Age at which a record that still fails is given up, in milliseconds since it was logged. @default 900_000 */
  readonly maxAgeMs?: number | undefined;
}

/** How records are batched, buffered and delivered: the same for every framework and every cloud. */
export interface DeliveryOptions {
  /** Longest wait of the first record in an open batch, in milliseconds. Later records do not prolong it. @default 1000 */
  readonly maxDelayMs?: number | undefined;
  /** Most bytes in a batch, as the service counts them. Lowers the service's limit, never raises it. @default the service's limit */
  readonly maxBatchBytes?: number | undefined;
  /** Most events in a batch. Lowers the service's limit, never raises it. @default the service's limit */
  readonly maxBatchEvents?: number | undefined;
  /** One budget for all records that wait or are in flight, in bytes: the length of each payload plus 256. @default 67_108_864 */
  readonly maxBufferBytes?: number | undefined;
  /** Which records go when the budget is full. A fifth of it is reserved for warnings and worse. @default 'drop-newest' */
  readonly overflow?: 'drop-newest' | 'drop-oldest' | undefined;
  /** Most requests in flight. Halves on throttling and timeouts, creeps back. @default 4 */
  readonly concurrency?: number | undefined;
  /** True: one request at a time on each route, batches in order of acceptance. Both clouds sort by time themselves. @default false */
  readonly ordered?: boolean | undefined;
  /** Hard limit of one attempt, in milliseconds. @default 30_000 */
  readonly requestTimeoutMs?: number | undefined;
  readonly retry?: RetryOptions | undefined;
  /**
   * After losses, once records arrive again, a record of our own says in the logs how many were dropped, why and from when
   * to when: one for each reason, at most every 30 s. @default true
   */
  readonly dropNotice?: boolean | undefined;
  /** Deadline of `close()`, in milliseconds. What is left then is counted as `undeliverable`. @default 5000 */
  readonly closeTimeoutMs?: number | undefined;
  /**
   * Told of failed attempts; of `AUTH`, `NOT_FOUND` and `MISCONFIGURED` at most once a minute. The records are kept
   * and tried again. @default a line on stderr, at most every 30 s
   */
  readonly onError?: ((error: DeliveryError) => void) | undefined;
  /** Told of every loss. @default a line on stderr, at most every 30 s */
  readonly onDrop?: ((drop: Drop) => void) | undefined;
}

/** The names of the delivery options. */
export const deliveryOptionNames: readonly (keyof DeliveryOptions)[] = [
  'maxDelayMs',
  'maxBatchBytes',
  'maxBatchEvents',
  'maxBufferBytes',
  'overflow',
  'concurrency',
  'ordered',
  'requestTimeoutMs',
  'retry',
  'closeTimeoutMs',
  'dropNotice',
  'onError',
  'onDrop',
];

const retryOptionNames = ['baseMs', 'throttledBaseMs', 'capMs', 'maxAgeMs'] as const;

/** The default of `closeTimeoutMs`. */
export const DEFAULT_CLOSE_TIMEOUT_MS = 5000;

/** Delivery options with every value in place. */
export interface ResolvedDeliveryOptions {
  readonly maxDelayMs: number;
  readonly limits: BatchLimits;
  readonly maxBufferBytes: number;
  readonly overflow: 'drop-newest' | 'drop-oldest';
  readonly concurrency: number;
  readonly ordered: boolean;
  readonly requestTimeoutMs: number;
  readonly retry: Readonly<Record<(typeof retryOptionNames)[number], number>>;
  readonly closeTimeoutMs: number;
  readonly dropNotice: boolean;
}

/** Checks delivery options and fills in the defaults. */
export function resolveDeliveryOptions(options: DeliveryOptions, limits: BatchLimits): ResolvedDeliveryOptions {
  refuseUnknownOptions(options, deliveryOptionNames);
  functionOption('onError', options.onError, undefined);
  functionOption('onDrop', options.onDrop, undefined);
  const maxDelayMs = numberOption('maxDelayMs', options.maxDelayMs, 1000, { min: 0 });
  const retry = resolveRetry(options.retry);
  if (retry.maxAgeMs <= maxDelayMs) {
    throw wrongOption('retry.maxAgeMs', `more than maxDelayMs (${maxDelayMs})`, retry.maxAgeMs);
  }
  return {
    maxDelayMs,
    limits: lowerLimits(options, limits),
    maxBufferBytes: numberOption('maxBufferBytes', options.maxBufferBytes, 64 * MIB, { min: 1024 }),
    overflow: choiceOption('overflow', options.overflow, 'drop-newest', ['drop-newest', 'drop-oldest']),
    concurrency: numberOption('concurrency', options.concurrency, 4, { min: 1, max: 50 }),
    ordered: booleanOption('ordered', options.ordered, false),
    requestTimeoutMs: numberOption('requestTimeoutMs', options.requestTimeoutMs, 30_000, { min: 1 }),
    retry,
    closeTimeoutMs: numberOption('closeTimeoutMs', options.closeTimeoutMs, DEFAULT_CLOSE_TIMEOUT_MS, { min: 0 }),
    dropNotice: booleanOption('dropNotice', options.dropNotice, true),
  };
}

function resolveRetry(options: unknown): ResolvedDeliveryOptions['retry'] {
  const given = objectOption('retry', options);
  refuseUnknownOptions(given, retryOptionNames, 'retry.');
  return {
    baseMs: numberOption('retry.baseMs', given.baseMs, 200, { min: 1 }),
    throttledBaseMs: numberOption('retry.throttledBaseMs', given.throttledBaseMs, 1000, { min: 1 }),
    capMs: numberOption('retry.capMs', given.capMs, 30_000, { min: 1 }),
    maxAgeMs: numberOption('retry.maxAgeMs', given.maxAgeMs, 900_000, { min: 1 }),
  };
}

function lowerLimits(options: DeliveryOptions, limits: BatchLimits): BatchLimits {
  const { maxEvents, maxBytes } = limits;
  return {
    maxEvents: numberOption('maxBatchEvents', options.maxBatchEvents, maxEvents, { min: 1, max: maxEvents }),
    maxBytes: numberOption('maxBatchBytes', options.maxBatchBytes, maxBytes, { min: 1024, max: maxBytes }),
    ...(limits.maxSpanMs !== undefined && { maxSpanMs: limits.maxSpanMs }),
    baseBytes: (route) => limits.baseBytes(route),
  };
}
