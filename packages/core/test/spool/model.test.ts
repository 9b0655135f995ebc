import fc from 'fast-check';
import { expect, it } from 'vitest';
import { full } from '../../../../forms.js';
import { assertBalanced, type Batch, DeliveryError, type Drop, type Seams, type Shipper } from '../../src/index.js';
import { createCoreShipper } from '../../src/shipper.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { bury, type Fault, ownDirectories, SimulatedFiles } from '../support/simulated-files.js';
import { OnDisk } from '../support/spool.js';

const ROOT = '/spool';

interface Settings {
  readonly mode: 'journal' | 'spill';
  readonly fsync: 'interval' | 'batch' | 'record' | 'never';
  readonly maxBufferBytes: number;
  readonly maxBytes: number;
  readonly overflow: 'drop-newest' | 'drop-oldest';
  readonly ordered: boolean;
}

type Answer = 'stores' | 'refuses' | 'stores and fails' | 'hangs';

type Step =
  | { readonly do: 'accept'; readonly records: number; readonly size: number; readonly together: boolean }
  | { readonly do: 'answer'; readonly how: Answer }
  | { readonly do: 'pass'; readonly ms: number }
  | { readonly do: 'kill' | 'lose power'; readonly keptPercent: number }
  | { readonly do: 'close'; readonly timeoutMs: number }
  | { readonly do: 'fail'; readonly fault: Fault }
  | { readonly do: 'remove directory' };

/** States that some history has to reach. */
function newSights() {
  return { recovered: 0, readBack: 0, full: 0, damaged: 0, failed: 0, ambiguous: 0, lostByPower: 0 };
}

/** What the test knows of a record. */
interface Known {
  readonly text: string;
  /** The process that accepted it may lose it: it was in memory only, or its disk was taken away. */
  isExcused: boolean;
  isDropped: boolean;
  stored: number;
  /** The shipper knows that it was stored, and the disk that it is settled. */
  isSettled: boolean;
}

interface Process {
  isDead: boolean;
  isClosing: boolean;
  shipper: Shipper;
}

/** Processes that come one after another on a machine, and a service. */
class Machine {
  readonly #settings: Settings;
  readonly #clock = new VirtualClock();
  readonly #files = new SimulatedFiles();
  readonly #seen: ReturnType<typeof newSights>;
  readonly #records = new Map<string, Known>();
  #answer: Answer = 'stores';
  #lastId = 0;
  readonly #violations: string[] = [];
  #process: Process;

  constructor(settings: Settings, seen: ReturnType<typeof newSights>) {
    this.#settings = settings;
    this.#seen = seen;
    this.#process = this.#start();
  }

  async run(step: Step): Promise<void> {
    const { shipper } = this.#process;
    switch (step.do) {
      case 'accept':
        this.#accept(step);
        break;
      case 'answer':
        this.#answer = step.how;
        break;
      case 'pass':
        await this.#clock.advance(step.ms);
        break;
      case 'kill':
        await this.#end(() => {});
        break;
      case 'lose power':
        await this.#end(() => this.#losePower(step.keptPercent / 100));
        break;
      case 'close': {
        // A response that comes after the deadline changes nothing.
        this.#process.isClosing = true;
        const closing = shipper.close({ timeoutMs: step.timeoutMs });
        await this.#clock.advance(step.timeoutMs + 1);
        await closing;
        this.#look();
        await this.#end(() => {});
        break;
      }
      case 'fail':
        this.#files.faults.push(step.fault);
        break;
      case 'remove directory':
        for (const record of this.#records.values()) record.isExcused = true;
        for (const path of ownDirectories(this.#files, ROOT)) this.#files.removeAll(path);
        break;
    }
    await this.#clock.settle();
    this.#look();
  }

  /** All is well from now on: whatever was accepted arrives, or was told as lost. */
  async end(): Promise<void> {
    this.#files.faults.length = 0;
    this.#answer = 'stores';
    await this.#end(() => {});
    await this.#clock.advance(600_000);
    const closing = this.#process.shipper.close();
    await this.#clock.advance(10_000);
    const report = await closing;
    this.#look();
    expect(report).toMatchObject({ pending: 0, spooled: 0 });
    expect(this.#files.paths('.v1')).toEqual([]);
    for (const [text, { isExcused, isDropped, stored }] of this.#records)
      expect(isExcused || isDropped || stored > 0, `${text} arrives, or is told as lost`).toBe(true);
  }

  #start(): Process {
    const made = { isDead: false, isClosing: false } as Process;
    const clock = this.#clock;
    const whileAlive = (callback: () => void) => () => {
      if (!made.isDead) callback();
    };
    const seams: Seams = {
      clock: {
        now: () => clock.now(),
        monotonic: () => clock.monotonic(),
        setTimer: (callback, delayMs) => clock.setTimer(whileAlive(callback), delayMs),
        defer: (callback) => clock.defer(whileAlive(callback)),
      },
      random: () => 0.5,
      files: this.#files.seenBy(() => made.isDead),
    };
    const destination = new OnDisk();
    destination.respond = (batch, signal) => this.#respond(batch, signal, made);
    const { mode, fsync, maxBytes, ...options } = this.#settings;
    made.shipper = createCoreShipper(
      destination,
      {
        ...options,
        maxDelayMs: 100,
        requestTimeoutMs: 5000,
        dropNotice: false,
        retry: { capMs: 1000 },
        spool: { directory: ROOT, mode, fsync, maxBytes },
        onDrop: (drop) => this.#dropped(drop, made),
        onError: () => {},
      },
      seams,
    );
    return made;
  }

  #accept({ records, size, together }: Step & { readonly do: 'accept' }): void {
    const { shipper } = this.#process;
    const texts = Array.from({ length: records }, () => `#${++this.#lastId}#`.padEnd(size, 'x'));
    const made = texts.map((text) => ({ time: this.#clock.now(), level: 'info', urgent: false, text, fields: {} }));
    for (const text of texts)
      this.#records.set(text, { text, isExcused: false, isDropped: false, stored: 0, isSettled: false });
    const failedBefore = this.#files.failed;
    if (together) shipper.acceptAll(made);
    else
      for (const record of made)
        if (!shipper.accept(record)) (this.#records.get(record.text) as Known).isDropped = true;
    // A record that is in memory only may be lost with the process. That the disk failed was told.
    const hasFailed = this.#files.failed > failedBefore;
    for (const text of texts)
      if (hasFailed || !this.#files.holds(text)) (this.#records.get(text) as Known).isExcused = true;
  }

  #respond({ events }: Batch, signal: AbortSignal, by: Process): Promise<void> {
    const answer = this.#answer;
    const records = events.map(({ payload }) => this.#records.get(payload) as Known);
    const marksFail = this.#files.faults.some(({ call }) => call === 'append' || call === 'remove');
    if (answer === 'refuses') return Promise.reject(new DeliveryError('UNAVAILABLE', 'away'));
    if (answer === 'hangs')
      return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
    for (const record of records) {
      if (record.isSettled) this.#violations.push(`${record.text} is settled, and sent again`);
      record.stored++;
    }
    if (answer === 'stores and fails') {
      this.#seen.ambiguous++;
      return Promise.reject(new DeliveryError('NETWORK', 'reset', { ambiguous: true }));
    }
    return new Promise((resolve) => {
      setImmediate(() => {
        resolve();
        if (by.isDead || by.isClosing || marksFail) return;
        // In the same turn the shipper settles it.
        for (const record of records) record.isSettled = true;
      });
    });
  }

  #dropped({ reason, records, events }: Drop, by: Process): void {
    if (by.isDead) return;
    if (reason === 'spool-full') this.#seen.full++;
    for (const { payload } of events) (this.#records.get(payload) as Known).isDropped = true;
    // Records that were on disk only are not named.
    if (events.length < records) for (const record of this.#records.values()) record.isExcused = true;
  }

  /** The process ends here, and nothing of its own runs any more. Another one starts. */
  async #end(meanwhile: () => void): Promise<void> {
    this.#process.isDead = true;
    bury(this.#files, ownDirectories(this.#files, ROOT));
    meanwhile();
    await this.#clock.settle();
    this.#process = this.#start();
    await this.#clock.settle();
  }

  #losePower(kept: number): void {
    this.#files.losePower(kept);
    for (const record of this.#records.values()) {
      // The marks are not synced.
      record.isSettled = false;
      if (record.stored > 0 || record.isDropped || record.isExcused || this.#files.holds(record.text)) continue;
      expect(this.#settings.fsync, 'each record is on the medium before it is accepted').not.toBe('record');
      record.isExcused = true;
      this.#seen.lostByPower++;
    }
  }

  #look(): void {
    const stats = this.#process.shipper.stats();
    assertBalanced(stats);
    expect(this.#violations).toEqual([]);
    this.#seen.recovered += stats.recovered > 0 ? 1 : 0;
    this.#seen.readBack += stats.spooled > 0 ? 1 : 0;
    this.#seen.damaged += stats.spool.damaged > 0 ? 1 : 0;
    this.#seen.failed = Math.max(this.#seen.failed, this.#files.failed);
    expect(stats.spool.bytes).toBeGreaterThanOrEqual(0);
    expect(stats.bufferBytes).toBeLessThanOrEqual(this.#settings.maxBufferBytes * 1.25 + 1536 * 20);
  }
}

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('accept' as const),
      records: fc.integer({ min: 1, max: 40 }),
      size: fc.constantFrom(20, 200, 2000, 30_000),
      together: fc.boolean(),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constant('answer' as const),
      how: fc.constantFrom<Answer>('stores', 'stores', 'refuses', 'stores and fails', 'hangs'),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(1, 150, 1100, 6000, 35_000) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constantFrom('kill' as const, 'lose power' as const),
      keptPercent: fc.integer({ min: 0, max: 100 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('close' as const), timeoutMs: fc.constantFrom(0, 50, 3000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('fail' as const),
      fault: fc.record({
        call: fc.constantFrom<Fault['call']>(
          'create',
          'write',
          'append',
          'read',
          'sync',
          'remove',
          'touch',
          'makeDirectory',
        ),
        code: fc.constantFrom<Fault['code']>('ENOSPC', 'EIO', 'EMFILE', 'EACCES'),
      }),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: 'remove directory' as const }) },
);

const settings: fc.Arbitrary<Settings> = fc.record({
  mode: fc.constantFrom('journal', 'journal', 'spill'),
  fsync: fc.constantFrom('interval', 'batch', 'record', 'never'),
  maxBufferBytes: fc.constantFrom(65_536, 1_048_576),
  maxBytes: fc.constantFrom(1_048_576, 268_435_456),
  overflow: fc.constantFrom('drop-newest', 'drop-oldest'),
  ordered: fc.boolean(),
});

it('loses no record that was on disk, and settles none twice, in any history of a machine', async () => {
  const seen = newSights();
  await fc.assert(
    fc.asyncProperty(settings, fc.array(step, { maxLength: 30, size: 'max' }), async (chosen, steps) => {
      const machine = new Machine(chosen, seen);
      for (const each of steps) await machine.run(each);
      await machine.end();
    }),
    { numRuns: full ? 2000 : 120 },
  );
  for (const [sight, times] of Object.entries(seen)) expect(times, sight).toBeGreaterThan(0);
}, 300_000);
