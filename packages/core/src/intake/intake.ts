import type { EventFlags, Ledger } from '../accounting/ledger.js';
import type { Reporter } from '../accounting/reporter.js';
import type { LiveRoutes } from '../batch/live-routes.js';
import type { Clock } from '../contract/clock.js';
import { type Destination, type DropReason, type EncodedEvent, isLeftOut } from '../contract/destination.js';
import type { LogRecord } from '../contract/record.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import { currentActivity } from '../process/feedback.js';
import type { Spool } from '../spool/spool.js';
import { timeOf } from '../tools/time.js';
import type { Batcher } from './batcher.js';
import type { Budget } from './budget.js';
import { DeferredEncoder } from './deferred-encoder.js';
import { type CheckedEncoding, type CheckedEvent, encodeAllChecked, encodeChecked } from './encode.js';
import { flagsOf, NOTICE, ORDINARY, URGENT } from './event-flags.js';
import { Shaper } from './shaper.js';
import { type EncodedRecord, SpoolIntake } from './spool-intake.js';
import { TimeWindow } from './time-window.js';

interface Dependencies {
  readonly destination: Destination;
  readonly options: ResolvedDeliveryOptions;
  readonly ledger: Ledger;
  readonly budget: Budget;
  readonly batcher: Batcher;
  readonly spool: Spool | undefined;
  readonly liveRoutes: LiveRoutes;
  readonly reporter: Reporter;
  readonly clock: Clock;
  /** From 0 up to, but not including, 1. */
  readonly random: () => number;
  /** Whether batches wait for others to join them. */
  readonly isJoining: () => boolean;
  /** Called when there is more to do than before. */
  readonly onChanged: () => void;
}

/** Takes records in: encoded, checked, within the budget, in the open batch of their route; or refuses and counts them. */
export class Intake {
  readonly #dependencies: Dependencies;
  readonly #window: TimeWindow;
  /** None where records ship as they are. */
  readonly #shaper: Shaper | undefined;
  /** None where the destination encodes each record alone. */
  readonly #deferred: DeferredEncoder | undefined;
  /** None without a spool. */
  readonly #spoolIntake: SpoolIntake | undefined;
  /** The cause of each loss for `maxRoutes`. */
  readonly #tooManyRoutes: Error;
  #lastSeq = 0;
  /** While {@link together} runs, with a spool. */
  #isTogether = false;

  constructor(dependencies: Dependencies) {
    const { destination, options, clock, random, spool, ledger, budget } = dependencies;
    const window = new TimeWindow(clock, options.limits);
    this.#dependencies = dependencies;
    this.#window = window;
    this.#shaper = options.shaping && new Shaper(options.shaping, destination.reads, random);
    this.#tooManyRoutes = new Error(
      `${options.maxRoutes} routes have records waiting or in flight already (maxRoutes): route by a field with fewer values, or raise it`,
    );
    if (destination.reads === 'text' && destination.encodeAll)
      this.#deferred = new DeferredEncoder(
        options.maxBufferBytes,
        window,
        (records) => encodeAllChecked(destination, options.limits, window, records),
        (record, encoding) => this.#take(record, encoding),
      );
    if (spool && options.spool)
      this.#spoolIntake = new SpoolIntake({
        options,
        spoolOptions: options.spool,
        spool,
        ledger,
        budget,
        clock,
        keep: ({ events, costBytes, urgent }, id) => this.#keep(events, costBytes, urgent ? URGENT : ORDINARY, id),
      });
  }

  /** Number of the last event; events count from 1. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** The number of the next event: of one that is read back from disk. */
  nextSeq(): number {
    return ++this.#lastSeq;
  }

  /** Number of records that got the time now. */
  get redated(): number {
    return this.#window.redated;
  }

  /** Takes in a record. False: refused on the spot. Throws if the record cannot be read, or shaped. */
  accept(record: LogRecord): boolean {
    const { ledger, onChanged, reporter } = this.#dependencies;
    const activity = currentActivity();
    if (activity === 'feedback') return this.refuse(record, 'feedback');
    const shaped = this.#shaper ? this.#shaper.shape(record) : record;
    if (typeof shaped === 'string') {
      ledger.receive();
      return this.#refuse(record, shaped);
    }
    if (reporter.isNotifying || activity === 'notifying') return reporter.withoutReporting(() => this.#takeNow(shaped));
    if (!this.#canWait(shaped)) {
      this.#deferred?.drain();
      return this.#takeNow(shaped);
    }
    onChanged();
    return true;
  }

  /** Takes in the records that a function accepts: by one write if they go to disk. */
  together<T>(act: () => T): T {
    const { reporter } = this.#dependencies;
    const spoolIntake = this.#spoolIntake;
    if (!spoolIntake || this.#isTogether || reporter.isNotifying || currentActivity() !== undefined) return act();
    const refuse = ({ events }: EncodedRecord): void => {
      const [first] = events;
      if (first) this.#refuse(first, 'buffer-full', events);
    };
    this.#isTogether = true;
    const actAndDrain = (): T => {
      try {
        return act();
      } finally {
        this.#deferred?.drain();
        this.#isTogether = false;
      }
    };
    return spoolIntake.together(actAndDrain, refuse);
  }

  /** Counts a record as lost that is not to be taken in. */
  refuse(record: Pick<LogRecord, 'time'>, reason: DropReason, cause?: unknown): false {
    const { ledger, reporter } = this.#dependencies;
    const refuse = (): false => {
      ledger.receive();
      this.#refuse(record, reason, [], cause);
      return false;
    };
    if (reporter.isNotifying || currentActivity() === 'notifying') return reporter.withoutReporting(refuse);
    this.#deferred?.drain();
    return refuse();
  }

  /** Takes in the records that wait for the end of the turn. Called at the end of each turn in which a batch was begun. */
  drain(): void {
    this.#deferred?.drain();
    this.#window.clear();
  }

  /** Takes in a notice of our own, however full the budget is. */
  acceptNotice(notice: LogRecord): void {
    const { destination, options } = this.#dependencies;
    const encoding = encodeChecked(destination, options.limits, this.#window, notice);
    if (!('refused' in encoding)) this.#keep(encoding.events, encoding.costBytes, NOTICE);
  }

  /** Leaves the encoding to the end of the turn, if the budget has room in any case. */
  #canWait(record: LogRecord): boolean {
    const { options, budget } = this.#dependencies;
    // With a spool the call says whether the record is on disk.
    const canWait = this.#spoolIntake ? this.#isTogether : budget.usedBytes <= options.maxBufferBytes / 2;
    if (!canWait) return false;
    try {
      return this.#deferred?.defer(record) ?? false;
    } catch {
      return false;
    }
  }

  #takeNow(record: LogRecord): boolean {
    const { destination, options } = this.#dependencies;
    return this.#take(record, encodeChecked(destination, options.limits, this.#window, record));
  }

  #take(record: Pick<LogRecord, 'time'>, encoding: CheckedEncoding): boolean {
    const { ledger } = this.#dependencies;
    ledger.receive();
    if ('refused' in encoding) return this.#refuse(record, encoding.refused, encoding.events, encoding.cause);
    if (this.#hasTooManyRoutes(encoding.events))
      return this.#refuse(record, 'too-many-routes', encoding.events, this.#tooManyRoutes);
    const reason = this.#spoolIntake ? this.#spoolIntake.take(encoding) : this.#takeIntoMemory(encoding);
    return reason === undefined || this.#refuse(record, reason, encoding.events);
  }

  #takeIntoMemory({ events, costBytes, urgent }: EncodedRecord): DropReason | undefined {
    if (!this.#dependencies.budget.makeRoom(costBytes, urgent)) return 'buffer-full';
    this.#keep(events, costBytes, urgent ? URGENT : ORDINARY);
    return undefined;
  }

  /** Counts a record that is not taken in. True if that is what the options ask for. */
  #refuse(
    record: Pick<LogRecord, 'time'>,
    reason: DropReason,
    events: readonly EncodedEvent[] = [],
    cause?: unknown,
  ): boolean {
    const { ledger, clock } = this.#dependencies;
    ledger.refuse(reason, events[0]?.time ?? timeOf(record, clock.now()), events, cause);
    return isLeftOut(reason);
  }

  /** Whether these events would make more routes live at once than may be. */
  #hasTooManyRoutes(events: readonly EncodedEvent[]): boolean {
    const { liveRoutes, options } = this.#dependencies;
    return liveRoutes.size >= options.maxRoutes && events.some(({ route }) => !liveRoutes.has(route));
  }

  #keep(events: readonly CheckedEvent[], costBytes: number, kind: EventFlags, id = 0): void {
    const { ledger, batcher, budget, isJoining, onChanged } = this.#dependencies;
    const flags = flagsOf(events.length, kind, id);
    ledger.admit(costBytes, flags.isNotice);
    let changed = false;
    for (const event of events) if (batcher.add(event, flags, this.nextSeq(), id)) changed = true;
    // Batches wait for no others while memory is scarce.
    if (changed || (isJoining() && !budget.isHalfFree)) onChanged();
  }
}
