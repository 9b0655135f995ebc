import type {
  BatchLimits,
  Destination,
  Drop,
  FullDestination,
  PayloadSeparator,
  TextDestination,
} from '../contract/destination.js';
import type { DeliveryError } from '../contract/errors.js';
import {
  booleanOption,
  choiceOption,
  functionOption,
  numberOption,
  objectOption,
  optionNames,
  refuseUnknownOptions,
  wrongOption,
} from './checks.js';
import { hooksUrl } from './hooks-option.js';
import { type ResolvedShaping, resolveShaping, type ShapingOptions } from './shaping-options.js';
import { type ResolvedSpoolOptions, resolveSpool, type SpoolOptions } from './spool-options.js';

/** The waits between attempts, and the end of trying. */
export interface RetryOptions {
  /** First backoff after a failure of service or network, in milliseconds. It doubles each time, with full jitter. @default 200 */
  readonly baseMs?: number | undefined;
  /**
   * First backoff after throttling, in milliseconds. After throttling, and after an outage, new batches of the route that do not fill a request
   * wait for others to join them: for so long or twice `maxDelayMs`, also if that is 0, and twice as long each time, up to `capMs`. The wait
   * fades within seconds after a single throttling, and within minutes after many. It ends when half of `maxBufferBytes` is used. @default 1000
   */
  readonly throttledBaseMs?: number | undefined;
  /** Longest backoff, in milliseconds. @default 30_000 */
  readonly capMs?: number | undefined;
  /** Age since `accept` at which a record that still fails is given up, in milliseconds. @default 900_000 */
  readonly maxAgeMs?: number | undefined;
}

/** Options of shaping, batching, buffering and delivery: the same for every framework and every cloud. */
export interface DeliveryOptions extends ShapingOptions {
  /**
   * Longest wait of the first record in an open batch, in milliseconds. Later records do not prolong it. Where no other batch is open it is
   * shorter by chance, by half at most, so that processes that log at the same moment do not send together, and where that costs no request.
   * After throttling batches wait longer: see `retry.throttledBaseMs`. @default 1000
   */
  readonly maxDelayMs?: number | undefined;
  /**
   * Most bytes in a batch, as the service counts them, from 1024. Lowers the service's limit, never raises it. An event is never larger than a
   * batch. @default the service's limit
   */
  readonly maxBatchBytes?: number | undefined;
  /** Most events in a batch. Lowers the service's limit, never raises it. @default the service's limit */
  readonly maxBatchEvents?: number | undefined;
  /**
   * One budget for all records that wait or are in flight, in bytes: each payload, text as UTF-8, 40 more for each event and
   * 1536 for each batch. @default 67_108_864 (64 MiB)
   */
  readonly maxBufferBytes?: number | undefined;
  /**
   * The records that are dropped when the budget of memory or of `spool` is full. A fifth of the memory is reserved for warnings and worse.
   * @default 'drop-newest'
   */
  readonly overflow?: 'drop-newest' | 'drop-oldest' | undefined;
  /**
   * Most routes (streams, topics) with records waiting or in flight. A record for another one is dropped as `too-many-routes`.
   * A route without records counts no more. @default 10_000; 100 if fields or functions of the record name its route
   */
  readonly maxRoutes?: number | undefined;
  /** Most requests in flight, up to 50. It halves on throttling and timeouts, and rises again slowly. @default 4 */
  readonly concurrency?: number | undefined;
  /**
   * True: events arrive in order of acceptance, since a route has one request in flight, and a batch that backs off holds back
   * its route. False: read back by time, events of the same millisecond are in order of acceptance all the same. @default false
   * @see https://github.com/logferry/logferry/blob/main/docs/order-and-duplicates.md
   */
  readonly ordered?: boolean | undefined;
  /** Longest time of an attempt without progress, in milliseconds; in all it may take ten times as long. @default 30_000 */
  readonly requestTimeoutMs?: number | undefined;
  /**
   * Keeps records on disk, so that they outlive the process. @default none: in memory only
   * @see https://github.com/logferry/logferry/blob/main/docs/spool.md
   */
  readonly spool?: SpoolOptions | undefined;
  /** The waits between attempts, and the age at which they end. @default those of its members */
  readonly retry?: RetryOptions | undefined;
  /**
   * After losses, once records arrive again, a record of our own states in the logs how many records were dropped, why, and
   * from when to when: one for each reason, at most every 30 s. @default true
   */
  readonly dropNotice?: boolean | undefined;
  /**
   * Deadline of `close()`, in milliseconds. Until then a backoff takes at most an eighth of the time that is left. Records left then are
   * counted as `undeliverable`. @default 5000
   */
  readonly closeTimeoutMs?: number | undefined;
  /**
   * True: ships from a worker thread. The event loop stays free, and `process.exit()` still delivers. Options are cloned into
   * the thread: none may be, or hold, a function, but see `hooks`. pino has a worker of its own. @default false
   * @see https://github.com/logferry/logferry/blob/main/docs/modes.md
   */
  readonly thread?: boolean | undefined;
  /**
   * A module whose exports take the place of options that are functions, where functions cannot go: in the worker thread. A path, from
   * the working directory, or a `file:` URL of an ES module or a CommonJS module that exports `onError`, `onDrop`, `transform`, or the
   * destination's `route` and `credentials`. Only with `thread: true`, and in pino's worker. @default none
   * @see https://github.com/logferry/logferry/blob/main/docs/redaction.md#functions-in-a-worker-thread-hooks
   */
  readonly hooks?: string | undefined;
  /**
   * Called with failures that last: a route had no success for 10 s since its first failure. With `AUTH`, `NOT_FOUND` and
   * `MISCONFIGURED` at once, at most once a minute; with `RECOVERED` when delivery goes on again. A retry that succeeds sooner calls
   * nothing: the channel `logferry:error` has every attempt. The records are kept and sent again. @default a line on stderr, at
   * most every 30 s
   * @see https://github.com/logferry/logferry/blob/main/docs/troubleshooting.md
   */
  readonly onError?: ((error: DeliveryError) => void) | undefined;
  /**
   * Called with the losses of a turn at its end, once for each reason. Losses of records that a callback logs are counted, and
   * not reported again. @default a line on stderr, at most every 30 s
   * @see https://github.com/logferry/logferry/blob/main/docs/troubleshooting.md
   */
  readonly onDrop?: ((drop: Drop) => void) | undefined;
}

/** The names of the delivery options, for {@link splitOptions}. */
export const deliveryOptionNames: readonly (keyof DeliveryOptions)[] = optionNames<DeliveryOptions>({
  maxDelayMs: true,
  maxBatchBytes: true,
  maxBatchEvents: true,
  maxBufferBytes: true,
  overflow: true,
  maxRoutes: true,
  concurrency: true,
  ordered: true,
  requestTimeoutMs: true,
  retry: true,
  closeTimeoutMs: true,
  spool: true,
  thread: true,
  hooks: true,
  dropNotice: true,
  sample: true,
  transform: true,
  redact: true,
  onError: true,
  onDrop: true,
});

const retryOptionNames = optionNames<RetryOptions>({
  baseMs: true,
  throttledBaseMs: true,
  capMs: true,
  maxAgeMs: true,
});

/** The default of `closeTimeoutMs`, in milliseconds. */
export const DEFAULT_CLOSE_TIMEOUT_MS = 5000;

/** The default of `maxBufferBytes`: an adapter that reads lines limits them by it. */
export const DEFAULT_MAX_BUFFER_BYTES: number = 64 * 1024 * 1024;

/** The default of `maxRoutes`: each route costs memory that the byte budget does not see. */
const DEFAULT_MAX_ROUTES = 10_000;

/** A destination's limits, lowered by the options. */
export type ResolvedLimits = BatchLimits & Required<Pick<BatchLimits, 'baseBytes'>>;

type OwnOptions = Omit<
  DeliveryOptions,
  'maxBatchBytes' | 'maxBatchEvents' | 'retry' | 'spool' | 'hooks' | 'onError' | 'onDrop' | keyof ShapingOptions
>;

type Resolved<Options> = { readonly [Name in keyof Options]-?: NonNullable<Options[Name]> };

/** Delivery options with every value in place. */
export interface ResolvedDeliveryOptions extends Resolved<OwnOptions> {
  readonly limits: ResolvedLimits;
  readonly separator: PayloadSeparator;
  readonly retry: Resolved<RetryOptions>;
  readonly spool: ResolvedSpoolOptions | undefined;
  /** URL of the module. */
  readonly hooks: string | undefined;
  /** `undefined` if records ship as they are. */
  readonly shaping: ResolvedShaping | undefined;
}

/** Checks delivery options and the destination, and fills in the defaults. Throws `ConfigError`. */
export function resolveDeliveryOptions(options: DeliveryOptions, destination: Destination): ResolvedDeliveryOptions {
  checkDestination(destination);
  refuseUnknownOptions(objectOption('options', options), deliveryOptionNames);
  functionOption('onError', options.onError, undefined);
  functionOption('onDrop', options.onDrop, undefined);
  const maxDelayMs = numberOption('maxDelayMs', options.maxDelayMs, 1000, { min: 0 });
  const spool = resolveSpool(options.spool, destination.identity);
  const ownRetry = resolveRetry(options.retry);
  const retry = spool ? { ...ownRetry, maxAgeMs: spool.maxAgeMs } : ownRetry;
  if (retry.maxAgeMs <= maxDelayMs) {
    throw wrongOption(
      spool ? 'spool.maxAgeMs' : 'retry.maxAgeMs',
      `more than maxDelayMs (${maxDelayMs})`,
      retry.maxAgeMs,
    );
  }
  return {
    maxDelayMs,
    limits: lowerLimits(options, destination.limits),
    separator: destination.separator ?? ',',
    maxBufferBytes: numberOption('maxBufferBytes', options.maxBufferBytes, DEFAULT_MAX_BUFFER_BYTES, { min: 1024 }),
    overflow: choiceOption('overflow', options.overflow, 'drop-newest', ['drop-newest', 'drop-oldest']),
    maxRoutes: numberOption('maxRoutes', options.maxRoutes, destination.maxRoutes ?? DEFAULT_MAX_ROUTES, { min: 1 }),
    concurrency: numberOption('concurrency', options.concurrency, 4, { min: 1, max: 50 }),
    ordered: booleanOption('ordered', options.ordered, false),
    requestTimeoutMs: numberOption('requestTimeoutMs', options.requestTimeoutMs, 30_000, { min: 1 }),
    retry,
    spool,
    hooks: hooksUrl(options.hooks),
    shaping: resolveShaping(options),
    closeTimeoutMs: numberOption('closeTimeoutMs', options.closeTimeoutMs, DEFAULT_CLOSE_TIMEOUT_MS, { min: 0 }),
    thread: booleanOption('thread', options.thread, false),
    dropNotice: booleanOption('dropNotice', options.dropNotice, true),
  };
}

const OPTIONAL_METHODS = ['encodeAll', 'prepare', 'close', 'describe', 'recipe'] as const;

/** A third party's destination can lack a member, which would show only with the first record, or never. */
function checkDestination(destination: Destination): void {
  const { name, reads, limits, maxRoutes, separator, encode, send } = destination ?? {};
  if (!encode && !send && !limits) throw wrongOption('destination', 'a Destination', destination);
  const check = (member: string, isRight: boolean, expected: string, value: unknown): void => {
    if (!isRight) throw wrongOption(`destination.${member}`, expected, value);
  };
  check('name', typeof name === 'string', 'a string', name);
  check('reads', reads !== undefined, '"text" or "fields" or "both"', reads);
  choiceOption('destination.reads', reads, 'text', ['text', 'fields', 'both']);
  choiceOption('destination.separator', separator, ',', [',', '\n', '']);
  numberOption('destination.maxRoutes', maxRoutes, 1, { min: 1 });
  check('encode', typeof encode === 'function', 'a function', encode);
  check('send', typeof send === 'function', 'a function', send);
  for (const member of OPTIONAL_METHODS)
    functionOption(
      `destination.${member}`,
      (destination as Partial<FullDestination & TextDestination>)[member],
      undefined,
    );
  check('limits', typeof limits === 'object' && limits !== null, 'an object', limits);
  const { maxEvents, maxBytes, maxSpanMs = 1, maxPastMs = 1, maxFutureMs = 1, baseBytes } = limits;
  for (const [limit, value] of Object.entries({ maxEvents, maxBytes, maxSpanMs, maxPastMs, maxFutureMs }))
    check(`limits.${limit}`, typeof value === 'number' && value >= 1, 'a number of at least 1', value);
  check('limits.maxBytes', Number.isFinite(maxBytes), 'a finite number', maxBytes);
  functionOption('destination.limits.baseBytes', baseBytes, undefined);
}

function resolveRetry(options: unknown): ResolvedDeliveryOptions['retry'] {
  const raw = objectOption('retry', options);
  refuseUnknownOptions(raw, retryOptionNames, 'retry.');
  return {
    baseMs: numberOption('retry.baseMs', raw.baseMs, 200, { min: 1 }),
    throttledBaseMs: numberOption('retry.throttledBaseMs', raw.throttledBaseMs, 1000, { min: 1 }),
    capMs: numberOption('retry.capMs', raw.capMs, 30_000, { min: 1 }),
    maxAgeMs: numberOption('retry.maxAgeMs', raw.maxAgeMs, 900_000, { min: 1 }),
  };
}

function lowerLimits(options: DeliveryOptions, limits: BatchLimits): ResolvedLimits {
  const { maxEvents, maxBytes, maxSpanMs, maxPastMs, maxFutureMs } = limits;
  return {
    ...(maxSpanMs !== undefined && { maxSpanMs }),
    ...(maxPastMs !== undefined && { maxPastMs }),
    ...(maxFutureMs !== undefined && { maxFutureMs }),
    maxEvents: numberOption('maxBatchEvents', options.maxBatchEvents, maxEvents, { min: 1, max: maxEvents }),
    maxBytes: numberOption('maxBatchBytes', options.maxBatchBytes, maxBytes, { min: 1024, max: maxBytes }),
    baseBytes: (route) => limits.baseBytes?.(route) ?? 0,
  };
}
