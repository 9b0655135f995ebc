import {
  type Batch,
  type BatchLimits,
  ClockCheck,
  createHttpClient,
  DeliveryError,
  type DestinationRecipe,
  type Encoding,
  type FieldsDestination,
  type FieldsRecord,
  type SendOutcome,
  toDateMs,
  warn,
} from '@logferry/core';
import { isCompressionRefused, toConnectionError, toDeliveryError } from './classify.js';
import { type Compression, compress } from './compress.js';
import { createFieldsWriter, LEVEL_FIELD, plainFields } from './fields.js';
import { MAX_BATCH_EVENTS, MAX_VALUE_BYTES } from './limits.js';
import { moduleUrl } from './module-url.js';
import type { LogServiceFetch, LogServiceOptions } from './options.js';
import { fitPayload, MAX_CHARS } from './oversize.js';
import { fetchOver, type ProgressFetch, type PutResponse, putWebTracking } from './put-web-tracking.js';
import { type ResolvedLogServiceOptions, resolveLogServiceOptions } from './resolve-options.js';
import { baseBytesOf, bodyOf } from './route.js';

/**
 * Makes a destination for Alibaba Cloud Log Service that writes by web tracking. Throws `ConfigError` for a wrong option. The
 * first batch calls the service.
 */
export function createLogService(options: LogServiceOptions): FieldsDestination {
  return new LogService(resolveLogServiceOptions(options), options);
}

/** The field for the text: of winston, of pino and bunyan. */
const MESSAGE_FIELDS: readonly string[] = ['message', 'msg'];

/** A comma follows each log but the last, so the count of a batch is one byte too high. */
const COMMA_BYTES = 1;

class LogService implements FieldsDestination {
  readonly name = 'log-service';
  readonly reads = 'fields';
  readonly identity: string;
  readonly limits: BatchLimits;
  readonly #rawOptions: LogServiceOptions;
  readonly #options: ResolvedLogServiceOptions;
  readonly #write: (record: FieldsRecord, time: number) => string;
  readonly #maxPayloadBytes: number;
  /** The fields that are kept of a record with too many. */
  readonly #important: ReadonlySet<string>;
  readonly #http = createHttpClient();
  readonly #fetch: LogServiceFetch | ProgressFetch;
  readonly #clock = new ClockCheck();
  #compression: Compression | undefined;

  constructor(options: ResolvedLogServiceOptions, rawOptions: LogServiceOptions) {
    this.#rawOptions = rawOptions;
    this.identity = options.identity;
    const { route, maxBatchBytes, compression } = options;
    const baseBytes = baseBytesOf(route);
    this.limits = {
      maxEvents: MAX_BATCH_EVENTS,
      maxBytes: maxBatchBytes,
      // Called for each record. Only a batch of another destination has another route.
      baseBytes: (other) => (other === route ? baseBytes : baseBytesOf(other)),
    };
    this.#options = options;
    const { timeField, sequenceField, oversize } = options;
    this.#write = createFieldsWriter(timeField, sequenceField, MAX_CHARS[oversize]);
    this.#important = new Set([timeField, sequenceField, LEVEL_FIELD, ...MESSAGE_FIELDS]);
    this.#maxPayloadBytes = maxBatchBytes - baseBytes - COMMA_BYTES;
    this.#fetch = options.fetch ?? fetchOver(this.#http);
    this.#compression = compression === 'none' ? undefined : compression;
  }

  encode(record: FieldsRecord): Encoding {
    const { route, oversize } = this.#options;
    const time = toDateMs(record.time) ?? Date.now();
    const payload = this.#write(record, time);
    const bytes = Buffer.byteLength(payload);
    if (bytes <= this.#maxPayloadBytes && bytes <= MAX_VALUE_BYTES) {
      return { route, time, payload, bytes: bytes + COMMA_BYTES };
    }
    const payloads = fitPayload(payload, this.#maxPayloadBytes, oversize, this.#important);
    if (payloads.length === 0) return { refused: 'too-large' };
    return payloads.map((part) => ({ route, time, payload: part, bytes: Buffer.byteLength(part) + COMMA_BYTES }));
  }

  async send(batch: Batch, signal: AbortSignal, progress?: () => void): Promise<SendOutcome> {
    const raw = bodyOf(batch);
    const compression = this.#compression;
    const compressed = compression && (await compress(raw, compression));
    const body = { bytes: compressed ?? raw, rawSize: raw.length, compression: compressed && compression };
    const response = await this.#post(body, signal, progress);
    if (response.stored) return this.#outcomeOf(response, body.bytes.length);
    const failure = toDeliveryError(response, this.#options.targetLabel);
    if (!compressed || !isCompressionRefused(response)) throw failure;
    this.#giveUpCompression();
    throw new DeliveryError('AGAIN', failure.message, { requestId: response.requestId });
  }

  async close(): Promise<void> {
    this.#http.close();
  }

  recipe(): DestinationRecipe {
    return {
      module: new URL('./index.js', moduleUrl).href,
      factory: 'createLogService',
      options: this.#rawOptions,
      plainFields: (fields) => plainFields(fields, MAX_CHARS[this.#options.oversize]),
    };
  }

  async #post(
    body: Parameters<typeof putWebTracking>[1],
    signal: AbortSignal,
    progress: (() => void) | undefined,
  ): Promise<PutResponse> {
    try {
      return await putWebTracking({ url: this.#options.url, fetch: this.#fetch }, body, signal, progress);
    } catch (error) {
      throw toConnectionError(error, this.#options.targetLabel, signal);
    }
  }

  #outcomeOf({ requestId, clockOffsetMs = 0 }: PutResponse, wireBytes: number): SendOutcome {
    const fault = this.#clock.faultOf(clockOffsetMs, 'Log Service');
    return { rejected: [], wireBytes, requestId, ...(fault && { faults: [fault] }) };
  }

  /** Final: the service will not be able to read the next body either. */
  #giveUpCompression(): void {
    if (this.#compression === undefined) return;
    warn(`Log Service cannot read bodies compressed with ${this.#compression}: they are sent as they are from now on`);
    this.#compression = undefined;
  }
}
