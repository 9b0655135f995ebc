import { setTimeout as delay } from 'node:timers/promises';
import { type DeliveryCode, DeliveryError } from '@logferry/core';
import { isNotFound, nameOf, toDeliveryError } from './classify.js';
import type { LogsClient } from './client.js';
import type { NewGroupSettings } from './resolve-options.js';
import { routeOf, type Target } from './route.js';
import { warn } from './warn.js';

/** Creates what is missing: a log stream, and its log group if need be. */
export class Provisioner {
  readonly #client: LogsClient;
  readonly #settings: NewGroupSettings;
  /** Creations that run now, by route, and by group. */
  readonly #running = new Map<string, Promise<void>>();
  /** Groups that we created and whose retention is not set yet. */
  readonly #newGroups = new Set<string>();

  constructor(client: LogsClient, settings: NewGroupSettings) {
    this.#client = client;
    this.#settings = settings;
  }

  /** Resolves when the stream exists. Calls for the same stream at the same time share one creation. */
  createStream(target: Target, signal: AbortSignal): Promise<void> {
    return this.#once(routeOf(target), async () => {
      const { group } = target;
      if (!(await this.#tryStream(target, signal))) {
        await this.#once(group, () => this.#createGroup(group, signal));
        if (!(await this.#tryStream(target, signal))) {
          throw new DeliveryError('UNAVAILABLE', `log group "${group}" was created, but cannot be used yet`);
        }
      }
      if (this.#newGroups.delete(group)) await this.#setRetention(group, signal);
    });
  }

  /** False when the group does not exist. */
  async #tryStream(target: Target, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#client.createLogStream(target, signal);
    } catch (error) {
      if (isNotFound(error)) return false;
      if (existsAlready(error)) return true;
      throw creationError(toDeliveryError(error, `CreateLogStream "${target.stream}" in "${target.group}"`));
    }
    return true;
  }

  async #createGroup(group: string, signal: AbortSignal): Promise<void> {
    try {
      await this.#client.createLogGroup(group, this.#settings, signal);
    } catch (error) {
      if (existsAlready(error)) return;
      const failure = toDeliveryError(error, `CreateLogGroup "${group}"`);
      // Without an answer, the next attempt may find the group that this one created.
      if (failure.ambiguous) this.#newGroups.add(group);
      throw creationError(failure);
    }
    this.#newGroups.add(group);
  }

  /** The service cannot set it when it creates a group. Never fails: without retention the events are kept, and cost. */
  async #setRetention(group: string, signal: AbortSignal): Promise<void> {
    const { retentionInDays: days } = this.#settings;
    if (days === undefined) return;
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(RETENTION_DEADLINE_MS)]);
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#client.putRetentionPolicy(group, days, deadline);
      } catch (error) {
        const { code, message } = toDeliveryError(error, `PutRetentionPolicy "${group}"`);
        if (!PASSING.includes(code) || attempt === RETENTION_ATTEMPTS || deadline.aborted) {
          warn(`${message}; its events never expire until you set a retention of ${days} days`);
          return;
        }
      }
      await delay(Math.random() * RETENTION_BACKOFF_MS, undefined, { signal: deadline }).catch(() => {});
    }
  }

  /** Shares the work that runs under this key. */
  #once(key: string, work: () => Promise<void>): Promise<void> {
    let running = this.#running.get(key);
    if (!running) {
      running = work().finally(() => this.#running.delete(key));
      this.#running.set(key, running);
    }
    return running;
  }
}

/** Failures that another attempt may not meet; `OperationAborted` is among them. */
const PASSING: readonly DeliveryCode[] = ['THROTTLED', 'UNAVAILABLE', 'NETWORK', 'AGAIN'];

const RETENTION_ATTEMPTS = 3;

/** Full jitter. The service takes 5 requests a second of an account. */
const RETENTION_BACKOFF_MS = 1000;

/** How long the first batch of a new group waits for its retention, at most. */
const RETENTION_DEADLINE_MS = 5000;

function existsAlready(error: unknown): boolean {
  return nameOf(error) === 'ResourceAlreadyExists';
}

/**
 * A parameter that is refused here is not the fault of the events, which would be halved for it: it is the options'. And
 * events that were not sent cannot be duplicated.
 */
function creationError({ code, message, cause, retryAfterMs, requestId }: DeliveryError): DeliveryError {
  const isOurs = code === 'INVALID' || code === 'TOO_LARGE';
  return new DeliveryError(isOurs ? 'MISCONFIGURED' : code, message, { cause, retryAfterMs, requestId });
}
