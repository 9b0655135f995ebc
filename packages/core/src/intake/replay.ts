import { bufferCost, type Ledger } from '../accounting/ledger.js';
import type { Backlog } from '../batch/backlog.js';
import type { BatchOrigin, PendingBatch } from '../batch/pending-batch.js';
import type { Clock } from '../contract/clock.js';
import type { DropReason } from '../contract/destination.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import type { ResolvedSpoolOptions } from '../options/spool-options.js';
import { DiskRetry } from '../spool/disk-retry.js';
import type { Portion, ReplayedRecord, ReplayQueue } from '../spool/replay-queue.js';
import type { Spool } from '../spool/spool.js';
import { inBackground } from '../tools/guarded.js';
import { Batcher } from './batcher.js';
import { type Budget, limitOf } from './budget.js';
import type { CheckedEvent } from './encode.js';
import { flagsOf, ORDINARY, URGENT } from './event-flags.js';

/** Bytes that are read back together: about a request. */
const PORTION_BYTES = 1024 * 1024;

/** The part of the budget that records which are read back leave to new ones. */
const PART_FOR_NEW = 1 / 2;

interface Dependencies {
  readonly options: ResolvedDeliveryOptions;
  readonly spoolOptions: ResolvedSpoolOptions;
  readonly spool: Spool;
  readonly ledger: Ledger;
  readonly budget: Budget;
  readonly backlog: Backlog;
  readonly clock: Clock;
  /** The number of the next event. */
  readonly nextSeq: () => number;
  /** Takes a batch that is sealed. */
  readonly enqueue: (batch: PendingBatch) => void;
  /** Whether sealed batches of a route wait or are in flight. */
  readonly isBusy: (route: string) => boolean;
  /** Records were read back, or lost. */
  readonly onChanged: () => void;
}

/** The origin of records that are read back. */
type ReplaySource = Exclude<BatchOrigin, 'live'>;

/** Reads records back from disk into batches, while there is room in memory. */
export class Replay {
  readonly #dependencies: Dependencies;
  readonly #batchers: Readonly<Record<ReplaySource, Batcher>>;
  /** By source: what cannot be read of one does not keep the other. */
  readonly #retries: Readonly<Record<ReplaySource, DiskRetry>>;
  #isReading = false;
  #isStopped = false;
  /** Records that were read back, or lost, by source. */
  readonly #done = { overflow: 0, adopted: 0 };
  #records = 0;
  #ambiguous = 0;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
    const { clock, options } = dependencies;
    this.#batchers = {
      // In order, records that are read back go before new ones.
      overflow: this.#batcherOf('overflow', !options.ordered),
      adopted: this.#batcherOf('adopted', true),
    };
    this.#retries = { overflow: new DiskRetry(clock), adopted: new DiskRetry(clock) };
  }

  /** Recovered records that were read back, and how many of them may be duplicates. */
  get stats(): { readonly records: number; readonly ambiguous: number } {
    return { records: this.#records, ambiguous: this.#ambiguous };
  }

  /** Records of this process so far that were on disk only, and are no more, or could not be read. */
  get readBack(): number {
    return this.#done.overflow + this.#dependencies.spool.overflow.removed;
  }

  /** Whether records are being read. */
  get isReading(): boolean {
    return this.#isReading;
  }

  /** Time when there is more to do, on the monotonic clock: a batch is to be sealed, or what could not be read is tried again. */
  get wakeAtMs(): number {
    const { overflow, adopted } = this.#batchers;
    const retries = this.#isStopped ? [] : Object.values(this.#retries).filter(({ isDue }) => !isDue);
    return Math.min(overflow.dueAtMs, adopted.dueAtMs, ...retries.map(({ atMs }) => atMs));
  }

  /** Seals the batches that are full or have waited long enough. */
  sealDue(nowMs: number): void {
    for (const batcher of Object.values(this.#batchers)) batcher.sealDue(nowMs);
  }

  sealAll(): void {
    for (const batcher of Object.values(this.#batchers)) batcher.sealAll();
  }

  /** Takes out an open batch whose events were all evicted. */
  discard(batch: PendingBatch): void {
    if (batch.origin !== 'live') this.#batchers[batch.origin].discard(batch);
  }

  /** Has all records tried again, now, that could not be read. */
  wake(): void {
    for (const source of ['overflow', 'adopted'] as const) {
      this.#dependencies.spool[source].tryAll();
      this.#retries[source].tryNow();
    }
  }

  /** Begins to read, if there is something to read and room for it. `isEnding`: only records of this process, the others can wait. */
  pump(isEnding: boolean): void {
    const { options, budget, spool } = this.#dependencies;
    const roomBytes = limitOf(options.maxBufferBytes, false) * PART_FOR_NEW - budget.usedBytes;
    if (this.#isReading || this.#isStopped || roomBytes <= 0) return;
    const sources = isEnding ? (['overflow'] as const) : this.#sources();
    const canRead = (each: ReplaySource): boolean => !spool[each].isUnreadable || this.#retries[each].isDue;
    const source = sources.find((each) => spool[each].waiting > 0 && canRead(each));
    if (source) inBackground(this.#read(source, spool[source], Math.min(PORTION_BYTES, roomBytes)));
  }

  /** Reads nothing more: what is on disk stays there. */
  stop(): void {
    this.#isStopped = true;
  }

  /** In order, new records wait for those of this process; else the oldest go first. */
  #sources(): readonly ReplaySource[] {
    return this.#dependencies.options.ordered ? ['overflow', 'adopted'] : ['adopted', 'overflow'];
  }

  async #read(source: ReplaySource, queue: ReplayQueue, maxBytes: number): Promise<void> {
    const { clock, spool, spoolOptions } = this.#dependencies;
    const retry = this.#retries[source];
    // That others can be read says nothing of those that could not.
    const isRetry = queue.isUnreadable;
    this.#isReading = true;
    try {
      const portion = await queue.next(maxBytes, clock.now() - spoolOptions.maxAgeMs);
      if (portion && !this.#isStopped) this.#take(portion, source);
      if (isRetry) retry.succeeded();
    } catch (error) {
      if (retry.failed()) spool.tellUnreadable(error);
    } finally {
      this.#isReading = false;
    }
    this.#dependencies.onChanged();
  }

  #take({ records, lost, segment, cause }: Portion, source: ReplaySource): void {
    const { ledger } = this.#dependencies;
    for (const record of records) {
      const events = this.#check(record);
      if (typeof events === 'string') {
        const at = record.events[0]?.time ?? record.acceptedAt;
        ledger.loseSpooled({ reason: events, records: 1, from: at, to: at }, [record.id]);
        continue;
      }
      if (source === 'adopted') this.#records++;
      if (source === 'adopted' && record.wasSent) this.#ambiguous++;
      this.#keep(record, events, source);
    }
    this.#done[source] += records.length + lost;
    if (lost > 0) this.#dependencies.spool.giveUp(segment, lost);
    const { firstAt: from, lastAt: to } = segment;
    ledger.loseSpooled({ reason: 'undeliverable', records: lost, from, to, cause });
  }

  #keep({ id, urgent, acceptedAt }: ReplayedRecord, events: readonly CheckedEvent[], source: ReplaySource): void {
    const { ledger, clock, nextSeq } = this.#dependencies;
    const costBytes = events.reduce((sum, { payload }) => sum + bufferCost(Buffer.byteLength(payload)), 0);
    const flags = flagsOf(events.length, urgent ? URGENT : ORDINARY, id);
    const acceptedAtMs = clock.monotonic() - Math.max(0, clock.now() - acceptedAt);
    ledger.readBack(costBytes);
    for (const event of events) this.#batchers[source].add(event, flags, nextSeq(), id, acceptedAtMs);
  }

  /** The events, or why the record can no longer be delivered: time has passed, and options may have changed. */
  #check({ acceptedAt, events, urgent }: ReplayedRecord): readonly CheckedEvent[] | DropReason {
    const { clock, spoolOptions, options } = this.#dependencies;
    const { limits, maxBufferBytes } = options;
    const { maxPastMs = Number.POSITIVE_INFINITY } = limits;
    const nowMs = clock.now();
    if (nowMs - acceptedAt > spoolOptions.maxAgeMs) return 'expired';
    if (events.some(({ time }) => nowMs - time > maxPastMs)) return 'too-old';
    const checked = events.map((event) => ({ ...event, baseBytes: limits.baseBytes(event.route) }));
    const payloadBytes = events.reduce((sum, { payload }) => sum + Buffer.byteLength(payload), 0);
    const isTooLarge =
      checked.some(({ bytes, baseBytes }) => baseBytes + bytes > limits.maxBytes) ||
      payloadBytes > limitOf(maxBufferBytes, urgent);
    return isTooLarge ? 'too-large' : checked;
  }

  #batcherOf(origin: ReplaySource, isReplay: boolean): Batcher {
    const { options, backlog, clock, enqueue, isBusy } = this.#dependencies;
    // What is read back together is sent together, and has waited on disk: nothing else would seal it for a flush that runs.
    return new Batcher({ ...options, maxDelayMs: 0 }, backlog, clock, () => 0, enqueue, isBusy, undefined, {
      origin,
      isReplay,
    });
  }
}
