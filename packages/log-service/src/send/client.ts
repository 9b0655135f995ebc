import { createHttpClient, type HttpClient } from '@logferry/core';
import type { LogServiceFetch } from '../options/options.js';
import type { ResolvedLogServiceOptions } from '../options/resolve-options.js';
import type { Signer } from '../signed/signer.js';
import { type Attempt, again, toConnectionError, toDeliveryError } from './classify.js';
import {
  fetchOver,
  get,
  type LogServiceGet,
  type LogServicePage,
  type LogServiceRequest,
  type LogServiceResponse,
  type ProgressFetch,
  post,
} from './request.js';

/** How requests get to the service. */
type ConnectionSettings = Pick<ResolvedLogServiceOptions, 'fetch' | 'proxy'>;

/** Makes requests, signed ones if it has a signer. */
export class LogServiceClient {
  readonly #http: HttpClient;
  readonly #fetch: LogServiceFetch | ProgressFetch;
  readonly #signer: Signer | undefined;

  /** `maxResponseBytes` is for a client that reads logs: other responses are small. */
  constructor({ fetch, proxy }: ConnectionSettings, signer: Signer | undefined, maxResponseBytes?: number) {
    this.#http = createHttpClient({ proxy, maxResponseBytes });
    this.#fetch = fetch ?? fetchOver(this.#http);
    this.#signer = signer;
  }

  /**
   * Makes one request. Rejects with a `DeliveryError` if no response came, and with `AGAIN` if the next signature may be taken.
   *
   * @returns the response, which may be a refusal
   */
  async post(
    request: LogServiceRequest,
    attempt: Attempt,
    signal: AbortSignal,
    progress?: (() => void) | undefined,
  ): Promise<LogServiceResponse> {
    return this.#exchange(request, attempt, signal, (ready) => post(this.#fetch, ready, signal, progress));
  }

  /** The same for a request that reads, which goes by our own client. */
  async get(request: Pick<LogServiceGet, 'url'>, attempt: Attempt, signal: AbortSignal): Promise<LogServicePage> {
    const unsigned = { ...request, headers: { 'x-log-bodyrawsize': '0' }, method: 'GET', body: undefined } as const;
    return this.#exchange(unsigned, attempt, signal, (ready) => get(this.#http, ready, signal));
  }

  close(): void {
    this.#http.close();
  }

  async #exchange<Unsigned extends LogServiceRequest | LogServiceGet, Received extends LogServiceResponse>(
    request: Unsigned,
    attempt: Attempt,
    signal: AbortSignal,
    perform: (ready: Unsigned) => Promise<Received>,
  ): Promise<Received> {
    const versioned = { ...request, headers: { 'x-log-apiversion': '0.6.0', ...request.headers } };
    const failed = (error: unknown): never => {
      throw toConnectionError(error, attempt, signal);
    };
    const signer = this.#signer;
    if (!signer) return perform(versioned).catch(failed);
    const signed = await signer.sign(versioned, signal);
    const response = await perform({ ...versioned, headers: signed.headers }).catch(failed);
    signer.learn(signed, response);
    if (!response.done && (await signer.canImprove(signed, response, signal)))
      throw again(toDeliveryError(response, attempt));
    return response;
  }
}
