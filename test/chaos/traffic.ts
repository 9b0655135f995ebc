import { assertBalanced, type DeliveryOptions, type DeliveryStats, type Drop } from '@logferry/core';
import { expect } from 'vitest';
import type { RunningCloud } from '../support/clouds.js';
import type { RunningHost } from '../support/hosts.js';
import type { Way } from '../support/ways.js';

/** Makes records of about 230 bytes, with the fields of the frameworks. */
const PADDING = 'x'.repeat(100);
const ID = /#(\d+)#/;

export interface Account {
  readonly stats: DeliveryStats;
  /** Injected faults by name. */
  readonly faults: Readonly<Record<string, number>>;
  /** Batches that were stored, and stored again. */
  readonly repeatedBatches: number;
}

/** One way under chaos: a steady flow of numbered records, and the fate of each. */
export class Traffic {
  readonly way: Way;
  readonly cloud: RunningCloud;
  readonly #maxBatchEvents: number;
  readonly #host: RunningHost;
  readonly #losses: Losses;
  #issued = 0;

  private constructor(way: Way, cloud: RunningCloud, host: RunningHost, losses: Losses, maxBatchEvents: number) {
    this.way = way;
    this.cloud = cloud;
    this.#host = host;
    this.#losses = losses;
    this.#maxBatchEvents = maxBatchEvents;
  }

  static async start(way: Way, delivery: DeliveryOptions & { readonly maxBatchEvents: number }): Promise<Traffic> {
    const cloud = await way.cloud.start();
    const losses: Losses = { ids: new Set(), unnamed: 0 };
    const onDrop = ({ events, records }: Drop): void => {
      for (const { payload } of events) losses.ids.add(idOf(String(payload)));
      losses.unnamed += records - events.length;
    };
    // Three routes, so that ways to CloudWatch Logs can have several requests in flight.
    const routes = way.cloud.name === 'cloudwatch' ? { logStreamName: 'chaos-{level}' } : {};
    const callbacks = way.host.threaded ? {} : { onDrop, onError() {} };
    const host = await way.host.start(way.cloud.name, { ...cloud.options, ...routes, ...delivery, ...callbacks });
    return new Traffic(way, cloud, host, losses, delivery.maxBatchEvents);
  }

  get name(): string {
    return this.way.name;
  }

  /** Logs until the total is `count`. */
  logUpTo(count: number): void {
    for (; this.#issued < count; this.#issued++) {
      const level = this.#issued % 20 === 0 ? 'warn' : this.#issued % 2 === 0 ? 'info' : 'debug';
      this.#host.log(level, `#${this.#issued}# ${PADDING}`);
    }
  }

  /** The counters now. Checks that they add up. */
  async sample(): Promise<DeliveryStats> {
    const stats = await this.#host.stats();
    assertBalanced(stats);
    return stats;
  }

  flush(): Promise<void> {
    return this.#host.flush();
  }

  /** Checks after a flush that each record was delivered or reported lost, and twice only where an acknowledgement was lost. */
  async account(): Promise<Account> {
    const stats = await this.sample();
    const { faults } = await this.cloud.stats();
    const { lostAck = 0, hang = 0 } = faults;
    expect(stats, this.name).toMatchObject({ received: this.#issued, pending: 0 });
    const delivered = new Set<number>();
    let repeatedBatches = 0;
    for (const batch of await this.cloud.batches()) {
      const ids = batch.map((record) => idOf(String(record[this.way.host.textField]))).filter((id) => id >= 0);
      if (ids.some((id) => delivered.has(id))) repeatedBatches++;
      for (const id of ids) delivered.add(id);
    }
    // A response that a busy machine sends too late is also lost.
    const late = Math.max(0, (stats.retries.TIMEOUT ?? 0) - hang);
    expect(repeatedBatches, this.name).toBeLessThanOrEqual(lostAck + late);
    expect(stats.ambiguous, this.name).toBeGreaterThanOrEqual(repeatedBatches);

    const missing = Array.from({ length: this.#issued }, (_, id) => id).filter((id) => !delivered.has(id));
    const lost = stats.received - stats.delivered;
    // A record can be both delivered and lost only if its acknowledgement was lost and it was dropped later.
    const inBoth = lost - missing.length;
    expect(inBoth, this.name).toBeGreaterThanOrEqual(0);
    expect(inBoth, this.name).toBeLessThanOrEqual((lostAck + late) * this.#maxBatchEvents);
    if (!this.way.host.threaded) {
      const { ids, unnamed } = this.#losses;
      expect(ids.size + unnamed, this.name).toBe(lost);
      expect(missing.filter((id) => !ids.has(id)).length, this.name).toBeLessThanOrEqual(unnamed);
    }
    return { stats, faults, repeatedBatches };
  }

  async expectNoViolation(): Promise<void> {
    const { violations } = await this.cloud.stats();
    // With a wrong wall clock a signature is too old or too new, until a response of the service has the right time.
    const skew = /Signature (expired|not yet current)/;
    expect(
      violations.filter(({ message }) => !skew.test(message)),
      this.name,
    ).toEqual([]);
  }

  async expectFreshRecordToArrive(): Promise<void> {
    this.logUpTo(this.#issued + 1);
    const id = this.#issued - 1;
    const arrived = async (): Promise<boolean> =>
      (await this.cloud.records()).some((record) => idOf(String(record[this.way.host.textField])) === id);
    await expect.poll(arrived, { timeout: 20_000, message: this.name }).toBe(true);
  }

  async end(): Promise<void> {
    await this.cloud.faults();
    await this.#host.end();
    await this.cloud.close();
  }
}

/** The losses that `onDrop` reported. A worker has none. */
interface Losses {
  readonly ids: Set<number>;
  /** Records beyond the 1 MiB of events in a drop. */
  unnamed: number;
}

/** -1 for a notice of the transport. */
function idOf(text: string): number {
  return Number(ID.exec(text)?.[1] ?? -1);
}
