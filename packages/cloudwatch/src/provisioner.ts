import { type DeliveryCode, DeliveryError, warn } from '@logferry/core';
import { type Attempt, isNotFound, nameOf, toDeliveryError } from './classify.js';
import type { LogsClient } from './logs-client.js';
import type { NewGroupSettings, ResolvedCloudWatchOptions } from './resolve-options.js';
import { routeOf, type Target } from './route.js';

/** Creates a missing log stream, its log group if necessary, and sets the retention of groups that it created. */
export class Provisioner {
  readonly #client: LogsClient;
  readonly #settings: NewGroupSettings;
  readonly #retentionInDays: number | undefined;
  readonly #newStream: string | undefined;
  /** Groups whose new stream was created, or may not be created by us. */
  readonly #groupsWithNewStream = new Set<string>();
  /** Requests in flight, by route, group or `retention group`: these keys never coincide. */
  readonly #running = new Map<string, Promise<void>>();
  /** Groups whose creation may succeed soon: the next attempt begins with it, as few requests may pass behind a quota. */
  readonly #missingGroups = new Set<string>();
  /** Groups that we created and whose retention is still to be set, each with the last failure to do so. */
  readonly #withoutRetention = new Map<string, DeliveryError | undefined>();
  readonly #faults: DeliveryError[] = [];

  constructor(client: LogsClient, { newGroup, retentionInDays, routing, createMissing }: ProvisionerOptions) {
    this.#client = client;
    this.#settings = newGroup;
    this.#retentionInDays = retentionInDays;
    this.#newStream = createMissing ? routing.newStream : undefined;
  }

  /** Whether nobody can have created the stream: the first batch for it would be sent in vain. */
  isNew({ group, stream }: Target): boolean {
    return stream === this.#newStream && !this.#groupsWithNewStream.has(group);
  }

  /**
   * Resolves when the stream exists. Concurrent calls for the same stream share one creation. Rejects with a `DeliveryError`,
   * never an ambiguous one: no event was sent.
   */
  createStream(target: Target, signal: AbortSignal): Promise<void> {
    return this.#once(routeOf(target), async () => {
      const { group, stream } = target;
      try {
        await this.#createStream(target, signal);
      } catch (error) {
        // Without permission to create the stream, the next attempt looks whether somebody else has.
        if (stream === this.#newStream && isDenied(error)) remember(this.#groupsWithNewStream, group);
        throw error;
      }
      if (stream === this.#newStream) remember(this.#groupsWithNewStream, group);
    });
  }

  /**
   * Tries once to set the retention of a group that we created, unless it is set. Call it before every batch for the group: a
   * failure that may pass is left to the next batch, and any other failure is final and becomes a fault. Never rejects:
   * without retention the service keeps the events.
   */
  async setRetention(group: string, signal: AbortSignal): Promise<void> {
    if (!this.#withoutRetention.has(group)) return;
    await this.#once(`retention ${group}`, async () => {
      const days = this.#retentionInDays as number;
      const deadline = AbortSignal.any([signal, AbortSignal.timeout(RETENTION_TIMEOUT_MS)]);
      try {
        await this.#client.putRetentionPolicy(group, days, deadline);
      } catch (error) {
        const failure = toDeliveryError(
          error,
          this.#attempt('PutRetentionPolicy', `"${group}" with retentionInDays ${days}`),
        );
        this.#withoutRetention.set(group, failure);
        if (PASSING.includes(failure.code)) return;
        this.#addFault(this.#faultOf(failure));
      }
      this.#withoutRetention.delete(group);
    });
  }

  /** Takes out the faults that no outcome has reported. */
  takeFaults(): readonly DeliveryError[] {
    return this.#faults.splice(0);
  }

  /** Warns of faults that no later batch will report, and of groups whose retention no later batch will set. */
  close(): void {
    const failures = [...this.#withoutRetention.values()].filter((failure) => failure !== undefined);
    this.#withoutRetention.clear();
    for (const { message } of [...this.takeFaults(), ...failures.map((failure) => this.#faultOf(failure))])
      warn(message);
  }

  async #createStream(target: Target, signal: AbortSignal): Promise<void> {
    const { group } = target;
    if (!this.#missingGroups.has(group) && (await this.#tryStream(target, signal))) return;
    await this.#once(group, () => this.#createGroup(group, signal));
    if (await this.#tryStream(target, signal)) return;
    throw new DeliveryError('UNAVAILABLE', `log group "${group}" was created, but cannot be used yet`);
  }

  /** False if the group does not exist. */
  async #tryStream(target: Target, signal: AbortSignal): Promise<boolean> {
    try {
      await this.#client.createLogStream(target, signal);
    } catch (error) {
      if (isNotFound(error)) return false;
      if (existsAlready(error)) return true;
      throw settingError(
        toDeliveryError(error, this.#attempt('CreateLogStream', `"${target.stream}" in "${target.group}"`)),
      );
    }
    return true;
  }

  async #createGroup(group: string, signal: AbortSignal): Promise<void> {
    this.#missingGroups.delete(group);
    try {
      await this.#client.createLogGroup(group, this.#settings, signal);
    } catch (error) {
      if (existsAlready(error)) return;
      const failure = toDeliveryError(error, this.#attempt('CreateLogGroup', `"${group}"${describe(this.#settings)}`));
      if (failure.code === 'TIMEOUT' || PASSING.includes(failure.code)) remember(this.#missingGroups, group);
      // A request without a response may have created the group that the next attempt finds.
      if (failure.ambiguous) this.#needsRetention(group);
      throw settingError(failure);
    }
    this.#needsRetention(group);
  }

  #attempt(operation: string, target: string): Attempt {
    return { operation, target, address: this.#client.address };
  }

  #needsRetention(group: string): void {
    if (this.#retentionInDays === undefined) return;
    this.#withoutRetention.set(group, undefined);
    const [oldest] = this.#withoutRetention;
    if (!oldest || this.#withoutRetention.size <= MAX_REMEMBERED) return;
    const [forgotten, failure] = oldest;
    this.#withoutRetention.delete(forgotten);
    if (failure) this.#addFault(this.#faultOf(failure));
  }

  #addFault(fault: DeliveryError): void {
    this.#faults.push(fault);
    if (this.#faults.length > MAX_REMEMBERED) this.#faults.shift();
  }

  #faultOf(failure: DeliveryError): DeliveryError {
    const consequence = `its events never expire until you set a retention of ${this.#retentionInDays} days`;
    return settingError(failure, `${failure.message}; ${consequence}`);
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

type ProvisionerOptions = Pick<ResolvedCloudWatchOptions, 'newGroup' | 'retentionInDays' | 'routing' | 'createMissing'>;

/** Whether this is a failure of a creation that we have no permission for. */
export function isDenied(error: unknown): boolean {
  return DeliveryError.is(error) && error.code === 'AUTH';
}

function remember(groups: Set<string>, group: string): void {
  groups.add(group);
  const [oldest] = groups;
  if (oldest !== undefined && groups.size > MAX_REMEMBERED) groups.delete(oldest);
}

/** Groups that are remembered, and faults that wait for an outcome: a field that names groups may have any number of values. */
const MAX_REMEMBERED = 1000;

/** Failures that a later attempt may not meet. A group that was just created may not be found yet. */
const PASSING: readonly DeliveryCode[] = ['THROTTLED', 'UNAVAILABLE', 'NETWORK', 'NOT_FOUND', 'AGAIN'];

/** How long a batch waits for the retention of its group. A timeout is final: otherwise every batch would wait as long. */
const RETENTION_TIMEOUT_MS = 5000;

/** ` with tags {"team":"web"}, logGroupClass "DELIVERY"` */
function describe(settings: NewGroupSettings): string {
  const given = Object.entries(settings).filter(([, value]) => value !== undefined);
  const texts = given.map(([name, value]) => `${name} ${JSON.stringify(value)}`);
  return texts.length === 0 ? '' : ` with ${texts.join(', ')}`;
}

function existsAlready(error: unknown): boolean {
  return nameOf(error) === 'ResourceAlreadyExists';
}

/** A refused parameter of a setting is a fault of the options, and not of the events, which the core would halve for it. */
function settingError(failure: DeliveryError, message = failure.message): DeliveryError {
  const { code, cause, retryAfterMs, requestId } = failure;
  const isOption = code === 'INVALID' || code === 'TOO_LARGE';
  return new DeliveryError(isOption ? 'MISCONFIGURED' : code, message, { cause, retryAfterMs, requestId });
}
