import {
  type Batch,
  type BatchLimits,
  ClockCheck,
  type DestinationDescription,
  type DestinationRecipe,
  type Encoding,
  type FieldsDestination,
  type FieldsRecord,
  ownFile,
  type SendOutcome,
  warn,
} from '@logferry/core';
import { createEncoder } from './encode/encoder.js';
import { plainFields } from './encode/fields.js';
import { JsonForm } from './encode/json-form.js';
import type { BodyForm, LogForm } from './encode/log-form.js';
import { MAX_CHARS } from './encode/oversize.js';
import { ProtobufForm } from './encode/protobuf-form.js';
import { headOf, logstoreOf } from './encode/route.js';
import { MAX_BATCH_EVENTS, MAX_FUTURE_MS, MAX_PAST_MS } from './limits.js';
import { moduleUrl } from './module-url.js';
import type { LogServiceOptions } from './options/options.js';
import {
  checkRoom,
  type Place,
  type ResolvedLogServiceOptions,
  resolveLogServiceOptions,
} from './options/resolve-options.js';
import { type Attempt, again, isCompressionRefused, isLogstoreMissing, toDeliveryError } from './send/classify.js';
import { LogServiceClient } from './send/client.js';
import { type Compression, compress } from './send/compress.js';
import type { LogServiceResponse } from './send/request.js';
import { Provisioners } from './signed/provisioners.js';
import { Signer } from './signed/signer.js';
import { splitByTime } from './signed/time-window.js';

/**
 * Makes a destination for Alibaba Cloud Log Service. With `credentials` it signs its requests, and the service keeps the time of
 * each event; without, it writes by web tracking. Throws `ConfigError` for a wrong option. The first batch calls the service.
 */
export function createLogService(options: LogServiceOptions): FieldsDestination {
  return new LogService(resolveLogServiceOptions(options), options);
}

class LogService implements FieldsDestination {
  readonly name = 'log-service';
  readonly reads = 'fields';
  readonly identity: string;
  readonly limits: BatchLimits;
  /** A field may have any number of values. */
  readonly maxRoutes: number | undefined;
  readonly separator: BodyForm['separator'];
  readonly encode: (record: FieldsRecord) => Encoding;
  readonly #rawOptions: LogServiceOptions;
  readonly #options: ResolvedLogServiceOptions;
  readonly #form: BodyForm;
  readonly #client: LogServiceClient;
  /** The logstore of all logs; `undefined` if the route of each names its own. */
  readonly #place: Place | undefined;
  /** Only for signed writes: the time of the service decides which events it takes. */
  readonly #signer: Signer | undefined;
  readonly #provisioners: Provisioners | undefined;
  readonly #clock = new ClockCheck();
  #compression: Compression | undefined;

  constructor(options: ResolvedLogServiceOptions, rawOptions: LogServiceOptions) {
    const { routing, maxBatchBytes, compression, signing, placeOf } = options;
    this.#rawOptions = rawOptions;
    this.#options = options;
    this.#signer = signing && new Signer(signing.credentials, signing.region);
    this.#client = new LogServiceClient(options, this.#signer);
    this.#provisioners = signing?.newLogstore && new Provisioners(this.#client, signing.newLogstore);
    this.#place = routing.logstore === undefined ? undefined : placeOf(routing.logstore);
    this.maxRoutes = routing.readsFields ? MAX_ROUTES_OF_FIELDS : undefined;
    this.#compression = compression === 'none' ? undefined : compression;
    const { form, encode } = signing ? withEncoder(new ProtobufForm(), options) : withEncoder(new JsonForm(), options);
    this.#form = form;
    this.encode = encode;
    this.identity = options.identity;
    this.separator = form.separator;
    const { fixed } = routing;
    const fixedBytes = fixed === undefined ? 0 : form.baseBytesOf(fixed);
    this.limits = {
      maxEvents: MAX_BATCH_EVENTS,
      maxBytes: maxBatchBytes,
      ...(signing && { maxPastMs: MAX_PAST_MS, maxFutureMs: MAX_FUTURE_MS }),
      // Called for each record.
      baseBytes: (route) => (route === fixed ? fixedBytes : form.baseBytesOf(route)),
    };
  }

  async send(batch: Batch, signal: AbortSignal, progress?: () => void): Promise<SendOutcome> {
    const { taken, rejected } = this.#signer ? splitByTime(batch, this.#signer.now()) : { taken: batch, rejected: [] };
    if (!taken) return { rejected, wireBytes: 0, ...this.#unsentOutcome() };
    const place = this.#place ?? this.#options.placeOf(logstoreOf(batch.route));
    const attempt: Attempt = { operation: this.#signer ? 'PutLogs' : 'PutWebTracking', ...place };
    const provisioner = this.#provisioners?.find(place.logstore);
    await provisioner?.completeIndex(signal);
    const raw = this.#form.bodyOf(taken);
    const compression = this.#compression;
    const compressed = compression && (await compress(raw, compression));
    const request = {
      url: place.url,
      headers: {
        'x-log-bodyrawsize': String(raw.length),
        ...(compressed && compression && { 'x-log-compresstype': compression }),
        'content-type': this.#form.contentType,
      },
      body: compressed ?? raw,
    };
    const response = await this.#client.post(request, attempt, signal, progress);
    if (response.done) {
      provisioner?.confirm();
      return { rejected, ...this.#outcomeOf(response), wireBytes: request.body.length };
    }
    const failure = toDeliveryError(response, attempt);
    if (compressed && isCompressionRefused(response)) {
      this.#giveUpCompression();
      throw again(failure);
    }
    if (this.#provisioners && isLogstoreMissing(response)) {
      await this.#provisioners.add(place).createLogstore(signal);
      throw again(failure);
    }
    throw failure;
  }

  async close(): Promise<void> {
    this.#provisioners?.close();
    this.#client.close();
  }

  describe(route = this.#options.routing.fixed): DestinationDescription {
    const { project, logstore: option } = this.#rawOptions;
    const topic = route === undefined ? undefined : headOf(route).topic;
    const logstore = this.#place?.logstore ?? (route === undefined ? option : logstoreOf(route));
    const named = typeof logstore === 'string' ? `logstore "${logstore}"` : 'logstores by a function';
    return {
      endpoint: this.#options.origin,
      target: `${named} of project "${project}"${topic === undefined ? '' : `, topic "${topic}"`}`,
      credentials: this.#signer?.credentialKind ?? 'none (web tracking)',
    };
  }

  recipe(): DestinationRecipe {
    return {
      module: ownFile(moduleUrl, '../cjs/index.js', '@logferry/log-service'),
      format: 'commonjs',
      factory: 'createLogService',
      options: this.#rawOptions,
      plainFields: (fields) => plainFields(fields, MAX_CHARS[this.#options.oversize]),
    };
  }

  #outcomeOf({ requestId, clockOffsetMs = 0 }: LogServiceResponse): Pick<SendOutcome, 'requestId' | 'faults'> {
    return { requestId, ...this.#faultsAt(clockOffsetMs) };
  }

  /** Of a batch without an event that the service takes: no success may ever show that the clock of this machine is to blame. */
  #unsentOutcome(): Pick<SendOutcome, 'faults'> {
    const { clockOffsetMs = 0 } = this.#signer ?? {};
    return clockOffsetMs === 0 ? {} : this.#faultsAt(clockOffsetMs);
  }

  #faultsAt(clockOffsetMs: number): Pick<SendOutcome, 'faults'> {
    const clockFault = this.#clock.faultOf(clockOffsetMs, 'Log Service');
    const faults = [...(this.#provisioners?.takeFaults() ?? []), ...(clockFault ? [clockFault] : [])];
    return faults.length > 0 ? { faults } : {};
  }

  /** Final: the service will not be able to read the next body either. */
  #giveUpCompression(): void {
    if (this.#compression === undefined) return;
    warn(`Log Service cannot read bodies compressed with ${this.#compression}: they are sent as they are from now on`);
    this.#compression = undefined;
  }
}

/** Fields and functions may name any number of routes. */
const MAX_ROUTES_OF_FIELDS = 100;

/** A form, and the way of a record into it. */
function withEncoder<Payload extends string | Uint8Array, Label>(
  form: LogForm<Payload, Label>,
  options: ResolvedLogServiceOptions,
): { readonly form: BodyForm; readonly encode: (record: FieldsRecord) => Encoding } {
  checkRoom(options.maxBatchBytes, form.baseBytesOf(options.routing.longest));
  return { form, encode: createEncoder(form, options) };
}
