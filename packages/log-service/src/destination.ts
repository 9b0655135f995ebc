import {
  type Batch,
  type BatchLimits,
  ClockCheck,
  type DestinationRecipe,
  type Encoding,
  type FieldsDestination,
  type FieldsRecord,
  type SendOutcome,
  warn,
} from '@logferry/core';
import { createEncoder } from './encode/encoder.js';
import { plainFields } from './encode/fields.js';
import { JsonForm } from './encode/json-form.js';
import type { BodyForm, LogForm } from './encode/log-form.js';
import { MAX_CHARS } from './encode/oversize.js';
import { ProtobufForm } from './encode/protobuf-form.js';
import { MAX_BATCH_EVENTS, MAX_FUTURE_MS, MAX_PAST_MS } from './limits.js';
import { moduleUrl } from './module-url.js';
import type { LogServiceOptions } from './options/options.js';
import { checkRoom, type ResolvedLogServiceOptions, resolveLogServiceOptions } from './options/resolve-options.js';
import { type Attempt, again, isCompressionRefused, isLogstoreMissing, toDeliveryError } from './send/classify.js';
import { LogServiceClient } from './send/client.js';
import { type Compression, compress } from './send/compress.js';
import type { LogServiceResponse } from './send/request.js';
import { Provisioner } from './signed/provisioner.js';
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
  readonly separator: BodyForm['separator'];
  readonly encode: (record: FieldsRecord) => Encoding;
  readonly #rawOptions: LogServiceOptions;
  readonly #options: ResolvedLogServiceOptions;
  readonly #form: BodyForm;
  readonly #client: LogServiceClient;
  readonly #attempt: Attempt;
  /** Only for signed writes: the time of the service decides which events it takes. */
  readonly #signer: Signer | undefined;
  readonly #provisioner: Provisioner | undefined;
  readonly #clock = new ClockCheck();
  #compression: Compression | undefined;

  constructor(options: ResolvedLogServiceOptions, rawOptions: LogServiceOptions) {
    const { route, maxBatchBytes, compression, signing, targetLabel, resource } = options;
    this.#rawOptions = rawOptions;
    this.#options = options;
    this.#signer = signing && new Signer(signing.credentials, signing.region);
    this.#client = new LogServiceClient(options, this.#signer);
    this.#provisioner = signing?.newLogstore && new Provisioner(this.#client, options, signing.newLogstore);
    this.#attempt = { operation: signing ? 'PutLogs' : 'PutWebTracking', targetLabel, resource };
    this.#compression = compression === 'none' ? undefined : compression;
    const { form, encode } = signing ? withEncoder(new ProtobufForm(), options) : withEncoder(new JsonForm(), options);
    this.#form = form;
    this.encode = encode;
    this.identity = options.identity;
    this.separator = form.separator;
    const baseBytes = form.baseBytesOf(route);
    this.limits = {
      maxEvents: MAX_BATCH_EVENTS,
      maxBytes: maxBatchBytes,
      ...(signing && { maxPastMs: MAX_PAST_MS, maxFutureMs: MAX_FUTURE_MS }),
      // Called for each record. Only a batch of another destination has another route.
      baseBytes: (other) => (other === route ? baseBytes : form.baseBytesOf(other)),
    };
  }

  async send(batch: Batch, signal: AbortSignal, progress?: () => void): Promise<SendOutcome> {
    const { taken, rejected } = this.#signer ? splitByTime(batch, this.#signer.now()) : { taken: batch, rejected: [] };
    if (!taken) return { rejected, wireBytes: 0, ...this.#unsentOutcome() };
    await this.#provisioner?.completeIndex(signal);
    const raw = this.#form.bodyOf(taken);
    const compression = this.#compression;
    const compressed = compression && (await compress(raw, compression));
    const request = {
      url: this.#options.url,
      headers: {
        'x-log-bodyrawsize': String(raw.length),
        ...(compressed && compression && { 'x-log-compresstype': compression }),
        'content-type': this.#form.contentType,
      },
      body: compressed ?? raw,
    };
    const response = await this.#client.post(request, this.#attempt, signal, progress);
    if (response.done) return { rejected, ...this.#outcomeOf(response), wireBytes: request.body.length };
    const failure = toDeliveryError(response, this.#attempt);
    if (compressed && isCompressionRefused(response)) {
      this.#giveUpCompression();
      throw again(failure);
    }
    if (this.#provisioner && isLogstoreMissing(response)) {
      await this.#provisioner.createLogstore(signal);
      throw again(failure);
    }
    throw failure;
  }

  async close(): Promise<void> {
    this.#provisioner?.close();
    this.#client.close();
  }

  recipe(): DestinationRecipe {
    return {
      module: new URL('./index.js', moduleUrl).href,
      factory: 'createLogService',
      options: this.#rawOptions,
      plainFields: (fields) => plainFields(fields, MAX_CHARS[this.#options.oversize]),
    };
  }

  #outcomeOf({ requestId, clockOffsetMs = 0 }: LogServiceResponse): Pick<SendOutcome, 'requestId' | 'faults'> {
    this.#provisioner?.confirm();
    return { requestId, ...this.#faultsAt(clockOffsetMs) };
  }

  /** Of a batch without an event that the service takes: no success may ever show that the clock of this machine is to blame. */
  #unsentOutcome(): Pick<SendOutcome, 'faults'> {
    const { clockOffsetMs = 0 } = this.#signer ?? {};
    return clockOffsetMs === 0 ? {} : this.#faultsAt(clockOffsetMs);
  }

  #faultsAt(clockOffsetMs: number): Pick<SendOutcome, 'faults'> {
    const clockFault = this.#clock.faultOf(clockOffsetMs, 'Log Service');
    const faults = [...(this.#provisioner?.takeFaults() ?? []), ...(clockFault ? [clockFault] : [])];
    return faults.length > 0 ? { faults } : {};
  }

  /** Final: the service will not be able to read the next body either. */
  #giveUpCompression(): void {
    if (this.#compression === undefined) return;
    warn(`Log Service cannot read bodies compressed with ${this.#compression}: they are sent as they are from now on`);
    this.#compression = undefined;
  }
}

/** A form, and the way of a record into it. */
function withEncoder<Payload extends string | Uint8Array, Label>(
  form: LogForm<Payload, Label>,
  options: ResolvedLogServiceOptions,
): { readonly form: BodyForm; readonly encode: (record: FieldsRecord) => Encoding } {
  checkRoom(options.maxBatchBytes, form.baseBytesOf(options.route));
  return { form, encode: createEncoder(form, options) };
}
