import { type Clock, type DeliveryCode, DeliveryError, systemClock, warn } from '@logferry/core';
import type { NewLogstore, Place } from '../options/resolve-options.js';
import { type Attempt, existsAlready, toDeliveryError } from '../send/classify.js';
import type { LogServiceClient } from '../send/client.js';

/** Creates a missing logstore, and its index. */
export class Provisioner {
  readonly #client: LogServiceClient;
  readonly #place: Omit<Place, 'url'>;
  readonly #settings: NewLogstore;
  readonly #faults: DeliveryError[] = [];
  readonly #clock: Clock;
  #running: Promise<void> | undefined;
  /** When it was created, on the monotonic clock, if no write succeeded since. */
  #createdAtMs = Number.NEGATIVE_INFINITY;
  /** Why the logstore has no index yet. */
  #indexFailure: DeliveryError | undefined;
  #indexAttemptsLeft = 0;
  /** Earliest time of the next attempt with a logstore that takes logs, on the monotonic clock. */
  #indexDueAtMs = 0;

  constructor(
    client: LogServiceClient,
    place: Omit<Place, 'url'>,
    settings: NewLogstore,
    { clock = systemClock }: { readonly clock?: Clock } = {},
  ) {
    this.#client = client;
    this.#place = place;
    this.#settings = settings;
    this.#clock = clock;
  }

  /**
   * Resolves when the logstore was created. Concurrent calls share one creation. Rejects with a `DeliveryError`, never an
   * ambiguous one: no log was sent. It is `UNAVAILABLE` if the logstore was created before, but cannot be used yet.
   */
  createLogstore(signal: AbortSignal): Promise<void> {
    return this.#share(() => this.#create(signal));
  }

  /** Creates the index if that failed for a reason that may have passed. Never rejects. */
  async completeIndex(signal: AbortSignal): Promise<void> {
    const isDue = this.#isNew || this.#clock.monotonic() >= this.#indexDueAtMs;
    if (this.#indexFailure && isDue) await this.#share(() => this.#createIndex(signal)).catch(() => {});
  }

  /** The logstore takes logs: if it is missing later, somebody has deleted it. */
  confirm(): void {
    this.#createdAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Takes out the faults that no outcome has reported. */
  takeFaults(): readonly DeliveryError[] {
    return this.#faults.splice(0);
  }

  /** Warns of faults that no later batch will report. */
  close(): void {
    for (const { message } of [...this.takeFaults(), ...(this.#indexFailure ? [this.#indexFailure] : [])])
      warn(message);
  }

  #share(work: () => Promise<void>): Promise<void> {
    this.#running ??= work().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  get #isNew(): boolean {
    return this.#clock.monotonic() - this.#createdAtMs < MAX_NEW_MS;
  }

  async #create(signal: AbortSignal): Promise<void> {
    const { origin, logstore, targetLabel } = this.#place;
    if (this.#isNew) throw new DeliveryError('UNAVAILABLE', `${targetLabel} was created, but cannot be used yet`);
    const { retentionInDays, shardCount, index } = this.#settings;
    const splitting = { autoSplit: true, maxSplitShard: Math.max(MAX_SPLIT_SHARD, shardCount) };
    const settings = { logstoreName: logstore, ttl: retentionInDays, shardCount, ...splitting };
    await this.#post(`${origin}/logstores`, settings, 'CreateLogStore', signal);
    this.#createdAtMs = this.#clock.monotonic();
    this.#indexAttemptsLeft = MAX_INDEX_ATTEMPTS;
    if (index) await this.#createIndex(signal);
  }

  async #createIndex(signal: AbortSignal): Promise<void> {
    const { origin, logstore } = this.#place;
    // The logstore may not be there yet for the index, as for logs: each attempt of a batch is one for the index.
    if (!this.#isNew) this.#indexAttemptsLeft--;
    try {
      await this.#post(`${origin}/logstores/${logstore}/index`, FULL_TEXT_INDEX, 'CreateIndex', signal);
      this.#indexFailure = undefined;
    } catch (error) {
      this.#indexDueAtMs = this.#clock.monotonic() + INDEX_RETRY_MS;
      const failure = error as DeliveryError;
      const mayPass = PASSING.has(failure.code) && this.#indexAttemptsLeft > 0;
      this.#indexFailure = mayPass ? failure : undefined;
      // Logs are stored without it.
      if (!mayPass) this.#faults.push(failure);
    }
  }

  async #post(url: string, settings: object, operation: Attempt['operation'], signal: AbortSignal): Promise<void> {
    const { targetLabel, resource } = this.#place;
    const attempt = { operation, targetLabel, resource };
    const body = Buffer.from(JSON.stringify(settings));
    const headers = { 'content-type': 'application/json', 'x-log-bodyrawsize': String(body.length) };
    try {
      const response = await this.#client.post({ url, headers, body }, attempt, signal);
      if (response.done || existsAlready(response)) return;
      throw toDeliveryError(response, attempt);
    } catch (error) {
      throw settingError(error as DeliveryError);
    }
  }
}

/** A new logstore takes logs after about a minute. If it does not by then, somebody may have deleted it. */
const MAX_NEW_MS = 300_000;

/** With a logstore that takes logs. */
const MAX_INDEX_ATTEMPTS = 5;
const INDEX_RETRY_MS = 10_000;

/** Codes by which the index may be created later: the key was renewed, or the logstore is not there yet for it. */
const PASSING: ReadonlySet<DeliveryCode> = new Set([
  'AGAIN',
  'NETWORK',
  'NOT_FOUND',
  'THROTTLED',
  'TIMEOUT',
  'UNAVAILABLE',
]);

/** The service splits shards by itself, up to as many. https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createlogstore */
const MAX_SPLIT_SHARD = 64;

/** https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createindex */
const FULL_TEXT_INDEX = {
  line: { chn: true, caseSensitive: false, token: [...', \'";=()[]{}?@&<>/:\n\t\r'] },
};

/** A refused parameter of a setting is a fault of the options, and not of the logs, which the core would halve for it. No log was sent. */
function settingError({ code, message, cause, retryAfterMs, requestId }: DeliveryError): DeliveryError {
  const isOption = code === 'INVALID' || code === 'TOO_LARGE';
  return new DeliveryError(isOption ? 'MISCONFIGURED' : code, message, { cause, retryAfterMs, requestId });
}
