import { createHttpClient, type HttpClient } from '@logferry/core';
import type { LogServiceFetch } from '../options/options.js';
import type { ResolvedLogServiceOptions } from '../options/resolve-options.js';
import type { Signer } from '../signed/signer.js';
import { type Attempt, again, toConnectionError, toDeliveryError } from './classify.js';
import { exchange, fetchOver, type LogServiceRequest, type LogServiceResponse, type ProgressFetch } from './request.js';

/** How requests get to the service. */
type ConnectionSettings = Pick<ResolvedLogServiceOptions, 'fetch' | 'proxy'>;

/** Makes requests, signed ones if it has a signer. */
export class LogServiceClient {
  readonly #http: HttpClient;
  readonly #fetch: LogServiceFetch | ProgressFetch;
  readonly #signer: Signer | undefined;

  constructor({ fetch, proxy }: ConnectionSettings, signer: Signer | undefined) {
    this.#http = createHttpClient({ proxy });
    this.#fetch = fetch ?? fetchOver(this.#http);
    this.#signer = signer;
  }

  /**
   * Makes one request. Rejects with a `DeliveryError` if no response came, and with `AGAIN` if the next signature may be taken.
   *
   * @returns the response, which may be a refusal
   */
  async request(
    request: LogServiceRequest,
    attempt: Attempt,
    signal: AbortSignal,
    progress?: (() => void) | undefined,
  ): Promise<LogServiceResponse> {
    const versioned = { ...request, headers: { 'x-log-apiversion': '0.6.0', ...request.headers } };
    const signer = this.#signer;
    if (!signer) return this.#exchange(versioned, attempt, signal, progress);
    const signed = await signer.sign(versioned, signal);
    const response = await this.#exchange(signed, attempt, signal, progress);
    signer.learn(signed, response);
    if (!response.done && (await signer.canImprove(signed, response, signal)))
      throw again(toDeliveryError(response, attempt));
    return response;
  }

  close(): void {
    this.#http.close();
  }

  async #exchange(
    request: LogServiceRequest,
    attempt: Attempt,
    signal: AbortSignal,
    progress: (() => void) | undefined,
  ): Promise<LogServiceResponse> {
    try {
      return await exchange(this.#fetch, request, signal, progress);
    } catch (error) {
      throw toConnectionError(error, attempt, signal);
    }
  }
}
