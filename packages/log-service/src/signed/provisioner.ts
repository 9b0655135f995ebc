import { DeliveryError, warn } from '@logferry/core';
import type { NewLogstore } from '../options/resolve-options.js';
import { type Attempt, existsAlready, toDeliveryError } from '../send/classify.js';
import type { LogServiceClient } from '../send/client.js';

/** The logstore that is created. */
interface Place {
  /** The URL that all requests of the project begin with. */
  readonly origin: string;
  readonly logstore: string;
  readonly targetLabel: string;
  readonly resource: string;
}

/** Creates a missing logstore, and its index. */
export class Provisioner {
  readonly #client: LogServiceClient;
  readonly #place: Place;
  readonly #settings: NewLogstore;
  readonly #faults: DeliveryError[] = [];
  #running: Promise<void> | undefined;
  /** It was created, and no write succeeded since. */
  #isNew = false;

  constructor(client: LogServiceClient, place: Place, settings: NewLogstore) {
    this.#client = client;
    this.#place = place;
    this.#settings = settings;
  }

  /**
   * Resolves when the logstore was created. Concurrent calls share one creation. Rejects with a `DeliveryError`, never an
   * ambiguous one: no log was sent. It is `UNAVAILABLE` if the logstore was created before, but cannot be used yet.
   */
  createLogstore(signal: AbortSignal): Promise<void> {
    this.#running ??= this.#create(signal).finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  /** The logstore takes logs: if it is missing later, somebody has deleted it. */
  confirm(): void {
    this.#isNew = false;
  }

  /** Takes out the faults that no outcome has reported. */
  takeFaults(): readonly DeliveryError[] {
    return this.#faults.splice(0);
  }

  /** Warns of faults that no later batch will report. */
  close(): void {
    for (const { message } of this.takeFaults()) warn(message);
  }

  async #create(signal: AbortSignal): Promise<void> {
    const { origin, logstore, targetLabel } = this.#place;
    if (this.#isNew) throw new DeliveryError('UNAVAILABLE', `${targetLabel} was created, but cannot be used yet`);
    const { retentionInDays, shardCount, index } = this.#settings;
    const settings = { logstoreName: logstore, ttl: retentionInDays, shardCount, ...SPLITTING };
    await this.#post(`${origin}/logstores`, settings, 'CreateLogStore', signal);
    this.#isNew = true;
    if (!index) return;
    try {
      await this.#post(`${origin}/logstores/${logstore}/index`, FULL_TEXT_INDEX, 'CreateIndex', signal);
    } catch (error) {
      // Logs are stored without it.
      this.#faults.push(settingError(error as DeliveryError));
    }
  }

  async #post(url: string, settings: object, operation: Attempt['operation'], signal: AbortSignal): Promise<void> {
    const { targetLabel, resource } = this.#place;
    const attempt = { operation, targetLabel, resource };
    const body = Buffer.from(JSON.stringify(settings));
    const headers = { 'content-type': 'application/json', 'x-log-bodyrawsize': String(body.length) };
    const response = await this.#client.post({ url, headers, body }, attempt, signal);
    if (!response.done && !existsAlready(response)) throw settingError(toDeliveryError(response, attempt));
  }
}

/** The service splits shards by itself, up to as many. https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createlogstore */
const SPLITTING = { autoSplit: true, maxSplitShard: 64 };

/** https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-createindex */
const FULL_TEXT_INDEX = {
  line: { chn: true, caseSensitive: false, token: [...', \'";=()[]{}?@&<>/:\n\t\r'] },
};

/** A refused parameter of a setting is a fault of the options, and not of the logs, which the core would halve for it. */
function settingError({ code, message, cause, retryAfterMs, requestId }: DeliveryError): DeliveryError {
  const isOption = code === 'INVALID' || code === 'TOO_LARGE';
  return new DeliveryError(isOption ? 'MISCONFIGURED' : code, message, { cause, retryAfterMs, requestId });
}
