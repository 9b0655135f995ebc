import { Account, type OutageKind, type Second } from './account.js';
import { chance } from './chance.js';
import { type Client, Storage } from './client.js';
import { type AfterFailure, FixedClient } from './fixed-client.js';
import { ShipperClient } from './shipper-client.js';
import { FleetTime } from './time.js';

export type ClientKind = 'logferry' | AfterFailure;

/** A fleet, and what happens to it. */
export interface Scenario {
  readonly processes: number;
  /** Each process logs a record when it starts, and then at this interval. */
  readonly intervalMs: number;
  readonly quotaPerSecond: number;
  readonly outage: OutageKind;
  readonly client: ClientKind;
  readonly seed: number;
  readonly timeline: Timeline;
}

/** The phases, one after another. */
export interface Timeline {
  /** From the start, which is one of all processes at once, to the outage. */
  readonly steadyMs: number;
  readonly outageMs: number;
  /** From the end of the outage to the deploy, which ends all processes at once, and starts as many. */
  readonly recoveryMs: number;
  /** From the deploy to the last record. */
  readonly deployedMs: number;
  /** From then to the end. */
  readonly drainMs: number;
}

/** What a fleet did. */
export interface Outcome {
  readonly seconds: readonly Second[];
  /** Records that were logged and are neither stored nor given up, at the end of each second. */
  readonly backlog: readonly number[];
  /** For each process, milliseconds from the end of the outage until all its records from before are stored or given up; infinite if that never came. */
  readonly caughtUpMs: readonly number[];
  /** For each process that the deploy ended, milliseconds until it could exit. */
  readonly closedMs: readonly number[];
  readonly logged: number;
  readonly stored: number;
  readonly lost: number;
  /** Of them, those lost at the deploy, and after it. */
  readonly lostAtDeploy: number;
  readonly pending: number;
  readonly duplicates: number;
  readonly peakRssBytes: number;
}

/** A process of a fleet until its exit. */
class FleetProcess {
  readonly storage: Storage = new Storage();
  readonly client: Client;
  logged = 0;
  caughtUpMs: number = Number.POSITIVE_INFINITY;

  constructor(makeClient: (storage: Storage) => Client) {
    this.client = makeClient(this.storage);
  }

  log(): void {
    this.client.log(this.logged++);
  }

  get lost(): number {
    return this.client.lost;
  }
}

/** Clocks are apart by so many milliseconds at most, from the right time. */
const MAX_SKEW_MS = 2000;

/** Runs a fleet through its timeline. The same seed has the same outcome. */
export async function runFleet(scenario: Scenario): Promise<Outcome> {
  const { processes, intervalMs, quotaPerSecond, timeline, outage } = scenario;
  const time = new FleetTime();
  const seeds = chance(scenario.seed);
  const fromMs = timeline.steadyMs;
  const toMs = fromMs + timeline.outageMs;
  const account = new Account(time, quotaPerSecond, { fromMs, toMs, kind: outage }, chance(seeds() * 2 ** 32));
  const start = (): FleetProcess[] =>
    Array.from({ length: processes }, () => {
      const random = chance(seeds() * 2 ** 32);
      return new FleetProcess((storage) => makeClient(scenario, time, account, storage, random));
    });
  let running = start();
  let isLogging = true;
  const all = [...running];
  const backlog: number[] = [];

  const logAll = (fleet: readonly FleetProcess[]): void => {
    if (running !== fleet || !isLogging) return;
    for (const process of fleet) process.log();
    time.after(intervalMs, () => logAll(fleet));
  };
  const lost = (): number => all.reduce((sum, process) => sum + process.lost, 0);
  const sample = (): void => {
    backlog.push(all.reduce((sum, { logged, storage, lost }) => sum + logged - storage.stored - lost, 0));
    time.after(1000, sample);
  };
  logAll(running);
  time.after(1000, sample);

  await time.runUntil(toMs);
  for (const process of running)
    process.storage.whenSettled(process.logged - 1, () => {
      process.caughtUpMs = time.nowMs - toMs;
    });

  await time.runUntil(toMs + timeline.recoveryMs);
  const before = running;
  const lostBefore = lost();
  const deployAtMs = time.nowMs;
  const closedMs: number[] = [];
  for (const { client } of before) void client.close().then(() => closedMs.push(time.nowMs - deployAtMs));
  running = start();
  all.push(...running);
  logAll(running);

  await time.runUntil(deployAtMs + timeline.deployedMs);
  isLogging = false;
  await time.runUntil(time.nowMs + timeline.drainMs);
  const sum = (of: (process: FleetProcess) => number): number => all.reduce((total, each) => total + of(each), 0);
  return {
    seconds: account.seconds,
    backlog,
    caughtUpMs: before.map(({ caughtUpMs }) => caughtUpMs),
    closedMs,
    logged: sum(({ logged }) => logged),
    stored: sum(({ storage }) => storage.stored),
    lost: lost(),
    lostAtDeploy: lost() - lostBefore,
    pending: sum(({ client }) => client.pending),
    duplicates: sum(({ storage }) => storage.duplicates),
    peakRssBytes: process.resourceUsage().maxRSS * 1024,
  };
}

function makeClient(
  { client }: Scenario,
  time: FleetTime,
  account: Account,
  storage: Storage,
  random: () => number,
): Client {
  if (client !== 'logferry') return new FixedClient(time, account, storage, random, client);
  const skewMs = (2 * random() - 1) * MAX_SKEW_MS;
  return new ShipperClient(time, account, storage, random, skewMs);
}
