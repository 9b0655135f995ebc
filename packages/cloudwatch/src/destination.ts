import {
  type Batch,
  type BatchLimits,
  ClockCheck,
  DeliveryError,
  type DestinationDescription,
  type DestinationRecipe,
  type EncodedEvent,
  type Encoding,
  enclosePayloads,
  type FullDestination,
  type LogRecord,
  ownFile,
  type SendOutcome,
  type TextDestination,
  type TextRecord,
  toDateMs,
  warn,
} from '@logferry/core';
import { isNotFound, isUnreadable, nameOf, toDeliveryError } from './classify.js';
import { compress, uncompressed, type WireBody } from './compress.js';
import { identityOf, placeOf } from './identity.js';
import { EVENT_OVERHEAD_BYTES, MAX_BATCH_EVENTS, MAX_FUTURE_MS, MAX_PAST_MS, MAX_SPAN_MS } from './limits.js';
import { LogsClient, type PutInput, type PutResponse } from './logs-client.js';
import { moduleUrl } from './module-url.js';
import type { CloudWatchOptions } from './options.js';
import { fitMessage } from './oversize.js';
import { isDenied, Provisioner } from './provisioner.js';
import { rejectedEvents } from './rejected-events.js';
import { type ResolvedCloudWatchOptions, resolveCloudWatchOptions } from './resolve-options.js';
import { type Target, targetOf } from './route.js';

/**
 * Makes a destination for Amazon CloudWatch Logs. Throws `ConfigError` for a wrong option. The AWS SDK is loaded with
 * the first record. The first batch calls the service.
 */
export function createCloudWatch(options: CloudWatchOptions): TextDestination | FullDestination {
  const resolved = resolveCloudWatchOptions(options);
  const { routing } = resolved;
  if (routing.by === 'record') return new RecordRoutedCloudWatch(resolved, options, routing.routeOf);
  return new TextCloudWatch(resolved, options, routing.routeOf);
}

/** Sends events, whatever their routes come from. */
abstract class CloudWatch {
  readonly name = 'cloudwatch';
  readonly identity: string;
  readonly limits: BatchLimits;
  readonly #rawOptions: CloudWatchOptions;
  readonly #options: ResolvedCloudWatchOptions;
  readonly #client: LogsClient;
  readonly #provisioner: Provisioner;
  /** The member `entity` of every request body. */
  readonly #entity: string;
  readonly #clock = new ClockCheck();
  #entityRejected = false;
  #compresses: boolean;
  /** Batches whose stream or group does not exist. */
  readonly #needsStream = new WeakSet<Batch>();
  /** Tokens that an emulator, or a service from before 2023, requires with a batch. */
  readonly #sequenceTokens = new WeakMap<Batch, string>();

  constructor(options: ResolvedCloudWatchOptions, rawOptions: CloudWatchOptions) {
    this.#rawOptions = rawOptions;
    this.identity = identityOf(options.connection);
    this.limits = {
      maxEvents: MAX_BATCH_EVENTS,
      maxBytes: options.maxBatchBytes,
      maxSpanMs: MAX_SPAN_MS,
      maxPastMs: MAX_PAST_MS,
      maxFutureMs: MAX_FUTURE_MS,
      baseBytes: () => 0,
    };
    this.#options = options;
    this.#compresses = options.compression === 'gzip';
    this.#client = new LogsClient(options.connection);
    this.#provisioner = new Provisioner(this.#client, options);
    this.#entity = options.entity === undefined ? '' : `,"entity":${JSON.stringify(options.entity)}`;
  }

  async send(batch: Batch, signal: AbortSignal, progress?: () => void): Promise<SendOutcome> {
    const target = targetOf(batch.route);
    const isCreated = this.#needsStream.has(batch) || this.#provisioner.isNew(target);
    if (isCreated) await this.#createStreamFor(batch, target, signal);
    await this.#provisioner.setRetention(target.group, signal);
    let body: WireBody | undefined;
    const ready = this.#client.isOurs ? this.#bodyOf(batch, target) : undefined;
    const isCompressed = this.#compresses;
    const write = async (made: Uint8Array): Promise<WireBody> => {
      body = isCompressed ? await compress(ready ?? made) : uncompressed(ready ?? made);
      return body;
    };
    const writer = ready || isCompressed ? write : undefined;
    try {
      const input = ready ? { logEvents: [] } : this.#inputOf(batch);
      const { response, wireBytes } = await this.#client.putLogEvents(target, input, writer, signal, progress);
      return this.#outcomeOf(response, batch, wireBytes);
    } catch (error) {
      if (nameOf(error) === 'DataAlreadyAccepted') return { rejected: [], wireBytes: body?.bytes.length ?? 0 };
      throw this.#withoutCompression(error, body) ?? this.#learnFrom(error, batch, isCreated);
    }
  }

  prepare(): Promise<void> {
    return this.#client.prepare();
  }

  async close(): Promise<void> {
    this.#provisioner.close();
    await this.#client.close();
  }

  describe(route?: string): DestinationDescription {
    const { connection } = this.#options;
    const { logGroupName } = this.#rawOptions;
    return {
      endpoint: placeOf(connection, this.#client.address),
      target: route === undefined ? groupLabel(logGroupName) : labelOf(targetOf(route)),
      credentials: this.#client.credentialKind,
    };
  }

  recipe(): DestinationRecipe {
    const module = ownFile(moduleUrl, '../cjs/index.js', '@logferry/cloudwatch');
    return { module, format: 'commonjs', factory: 'createCloudWatch', options: this.#rawOptions };
  }

  /** `time`: whole epoch milliseconds of a valid date. */
  protected draftOf(text: string, time: number, route: string): Draft {
    const { maxEventBytes } = this.#options;
    // A text of more characters has more bytes, which take long to count and to repair.
    const isTooLong = text.length > maxEventBytes;
    const message = isTooLong || text.isWellFormed() ? text : text.toWellFormed();
    const bytes = isTooLong ? text.length : Buffer.byteLength(message);
    const quotable = bytes <= maxEventBytes ? message : '';
    return { route, time, message, bytes, quotable };
  }

  protected encodingOf({ route, time, message, bytes }: Draft, quoted: string): Encoding {
    const { maxEventBytes, oversize } = this.#options;
    if (message === '') return { refused: 'invalid' };
    if (bytes <= maxEventBytes) return toEvent(route, time, quoted, bytes);
    const messages = fitMessage(message, maxEventBytes, oversize);
    if (messages.length === 0) return { refused: 'too-large' };
    return messages.map((part) => toEvent(route, time, JSON.stringify(part), Buffer.byteLength(part)));
  }

  async #createStreamFor(batch: Batch, target: Target, signal: AbortSignal): Promise<void> {
    try {
      await this.#provisioner.createStream(target, signal);
    } catch (error) {
      // Without permission to create the stream, the next attempt looks whether somebody else has.
      if (isDenied(error)) this.#needsStream.delete(batch);
      throw error;
    }
    this.#needsStream.delete(batch);
  }

  /** The body of a request of our own client: the SDK takes several times as long to make one. */
  #bodyOf(batch: Batch, { group, stream }: Target): Uint8Array {
    const token = this.#sequenceTokens.get(batch);
    const names = `"logGroupName":${JSON.stringify(group)},"logStreamName":${JSON.stringify(stream)}`;
    const tokenMember = token === undefined ? '' : `,"sequenceToken":${JSON.stringify(token)}`;
    return enclosePayloads(batch, `{${names},"logEvents":[`, `]${this.#entity}${tokenMember}}`);
  }

  /** The input of a command for a client of the user's: its middleware, or a client around it, may read and change events. */
  #inputOf(batch: Batch): PutInput {
    const sequenceToken = this.#sequenceTokens.get(batch);
    const { entity } = this.#options;
    return {
      logEvents: batch.events.map(({ payload }) => JSON.parse(payload as string)),
      ...(entity && { entity }),
      ...(sequenceToken !== undefined && { sequenceToken }),
    };
  }

  #outcomeOf(response: PutResponse, batch: Batch, wireBytes: number): SendOutcome {
    const { $metadata, rejectedLogEventsInfo: rejected, rejectedEntityInfo } = response;
    const { requestId } = $metadata;
    const faults = [...this.#provisioner.takeFaults()];
    const clockFault = this.#clock.faultOf(this.#client.clockOffsetMs, 'CloudWatch Logs');
    if (clockFault) faults.push(clockFault);
    if (rejectedEntityInfo && !this.#entityRejected) {
      this.#entityRejected = true;
      const { group } = targetOf(batch.route);
      const message = `PutLogEvents to "${group}" stored the events, but rejected their entity: ${rejectedEntityInfo.errorType}`;
      faults.push(new DeliveryError('MISCONFIGURED', message, { requestId }));
    }
    return {
      rejected: rejected ? rejectedEvents(rejected, batch.events.length) : [],
      wireBytes,
      requestId,
      ...(faults.length > 0 && { faults }),
    };
  }

  /** Gives gzip up for good if the endpoint cannot read a compressed request. */
  #withoutCompression(error: unknown, body: WireBody | undefined): DeliveryError | undefined {
    if (body?.encoding === undefined || !isUnreadable(error)) return undefined;
    if (this.#compresses) warn('the endpoint does not take gzip; requests are no longer compressed');
    this.#compresses = false;
    return new DeliveryError('AGAIN', 'the endpoint does not take gzip', { cause: error });
  }

  /** Notes what the next attempt of the batch needs, and returns the error for the core. */
  #learnFrom(error: unknown, batch: Batch, isCreated: boolean): DeliveryError {
    const { group, stream } = targetOf(batch.route);
    const { address } = this.#client;
    const attempt = { operation: 'PutLogEvents', target: `to "${group}", stream "${stream}"`, address };
    const failure = toDeliveryError(error, attempt);
    const { requestId } = failure;
    if (nameOf(error) === 'InvalidSequenceToken') {
      const { expectedSequenceToken: token } = error as { readonly expectedSequenceToken?: unknown };
      if (typeof token === 'string') this.#sequenceTokens.set(batch, token);
      else this.#sequenceTokens.delete(batch);
      return new DeliveryError('AGAIN', failure.message, { cause: error, requestId });
    }
    if (!isNotFound(error)) return failure;
    if (!this.#options.createMissing) {
      const missing = `log group "${group}" or its stream "${stream}" does not exist at ${address}`;
      const message = `${missing}, and createMissing is false: create them`;
      return new DeliveryError('NOT_FOUND', message, { cause: error, requestId });
    }
    this.#needsStream.add(batch);
    if (!isCreated) return new DeliveryError('AGAIN', failure.message, { cause: error, requestId });
    const message = `log stream "${stream}" of "${group}" was created, but does not take events yet`;
    return new DeliveryError('UNAVAILABLE', message, { cause: error, requestId });
  }
}

/** Its routes come from time and level, so that it needs no fields, and encodes the records of a turn together. */
class TextCloudWatch extends CloudWatch implements TextDestination {
  readonly reads = 'text';
  readonly #routeOf: (time: number, level: string) => string;

  constructor(
    options: ResolvedCloudWatchOptions,
    rawOptions: CloudWatchOptions,
    routeOf: (time: number, level: string) => string,
  ) {
    super(options, rawOptions);
    this.#routeOf = routeOf;
  }

  encode(record: TextRecord): Encoding {
    const draft = this.#draftOf(record);
    return this.encodingOf(draft, JSON.stringify(draft.quotable));
  }

  encodeAll(records: readonly TextRecord[]): readonly Encoding[] {
    const drafts = records.map((record) => this.#draftOf(record));
    const quoted = quoteAll(drafts.map(({ quotable }) => quotable));
    return drafts.map((draft, index) => this.encodingOf(draft, quoted[index] as string));
  }

  #draftOf({ text, time, level }: TextRecord): Draft {
    const timeMs = toDateMs(time) ?? Date.now();
    return this.draftOf(text, timeMs, this.#routeOf(timeMs, level));
  }
}

/** Its routes come from fields, or from functions of the record. */
class RecordRoutedCloudWatch extends CloudWatch implements FullDestination {
  readonly reads = 'both';
  /** A field may have any number of values. */
  readonly maxRoutes = 100;
  readonly #routeOf: (record: LogRecord) => string;

  constructor(
    options: ResolvedCloudWatchOptions,
    rawOptions: CloudWatchOptions,
    routeOf: (record: LogRecord) => string,
  ) {
    super(options, rawOptions);
    this.#routeOf = routeOf;
  }

  encode(record: LogRecord): Encoding {
    const time = toDateMs(record.time) ?? Date.now();
    const draft = this.draftOf(record.text, time, this.#routeOf(time === record.time ? record : { ...record, time }));
    return this.encodingOf(draft, JSON.stringify(draft.quotable));
  }
}

/** What is known of a record before its message is written as JSON. */
interface Draft {
  readonly route: string;
  readonly time: number;
  readonly message: string;
  readonly bytes: number;
  /** The message, if it fits into one event; else empty. */
  readonly quotable: string;
}

function toEvent(route: string, time: number, quotedMessage: string, messageBytes: number): EncodedEvent {
  const payload = `{"timestamp":${time},"message":${quotedMessage}}`;
  return { route, time, payload, bytes: messageBytes + EVENT_OVERHEAD_BYTES };
}

/** Writes each text as JSON. One call of `JSON.stringify` for all costs half as much as a call for each. */
function quoteAll(texts: readonly string[]): string[] {
  // Indented JSON has one text a line, after the line of the opening bracket. A line end within a text is escaped.
  const lines = JSON.stringify(texts, undefined, 1).split('\n');
  return texts.map((_, index) => (lines[index + 1] as string).slice(1, index + 1 < texts.length ? -1 : undefined));
}

function labelOf({ group, stream }: Target): string {
  return `${groupLabel(group)}, stream "${stream}"`;
}

function groupLabel(group: CloudWatchOptions['logGroupName']): string {
  return typeof group === 'string' ? `log group "${group}"` : 'log groups by a function';
}
