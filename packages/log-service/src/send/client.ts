import { createHttpClient, DeliveryError } from '@logferry/core';
import type { LogServiceFetch } from '../options/options.js';
import type { Signer } from '../signed/signer.js';
import { type Attempt, toConnectionError, toDeliveryError } from './classify.js';
import { fetchOver, type LogServiceRequest, type LogServiceResponse, type ProgressFetch, post } from './request.js';

/** Makes requests, signed ones if it has a signer. */
export class LogServiceClient {
  readonly #http = createHttpClient();
  readonly #fetch: LogServiceFetch | ProgressFetch;
  readonly #signer: Signer | undefined;

  constructor(fetch: LogServiceFetch | undefined, signer: Signer | undefined) {
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
    const versioned = { ...request, headers: { 'x-log-apiversion': '0.6.0', ...request.headers } };
    const signed = await this.#signer?.sign(versioned, signal);
    const response = await this.#exchange(signed ?? versioned, attempt, signal, progress);
    if (!signed) return response;
    this.#signer?.learn(signed, response);
    if (response.done || !(await this.#signer?.canImprove(signed, response, signal))) return response;
    const { message, requestId } = toDeliveryError(response, attempt);
    throw new DeliveryError('AGAIN', message, { requestId });
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
      return await post(this.#fetch, request, signal, progress);
    } catch (error) {
      throw toConnectionError(error, attempt, signal);
    }
  }
}
