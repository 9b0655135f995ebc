import type { EventFlags, Ledger } from '../accounting/ledger.js';
import type { CarefulReporter } from '../accounting/reporter.js';
import type { Clock } from '../contract/clock.js';
import type { Destination, DropReason, EncodedEvent } from '../contract/destination.js';
import { type LogRecord, timeOf } from '../contract/record.js';
import type { Delivery } from '../delivery/delivery.js';
import type { ResolvedDeliveryOptions } from '../options/delivery-options.js';
import { isSending } from '../process/feedback.js';
import type { Batcher } from './batcher.js';
import type { Budget } from './budget.js';
import { DeferredEncoder } from './deferred-encoder.js';
import { type CheckedEncoding, encodeAllChecked, encodeChecked } from './encode.js';

/** Most routes with records waiting or in flight; each costs memory that the byte budget does not see. */
const MAX_ROUTES = 10_000;

const ORDINARY: EventFlags = { urgent: false, split: undefined, isNotice: false };
const URGENT: EventFlags = { ...ORDINARY, urgent: true };
const NOTICE: EventFlags = { ...URGENT, isNotice: true };

interface Dependencies {
  readonly destination: Destination;
  readonly options: ResolvedDeliveryOptions;
  readonly ledger: Ledger;
  readonly budget: Budget;
  readonly batcher: Batcher;
  readonly delivery: Delivery;
  readonly reporter: CarefulReporter;
  readonly clock: Clock;
  /** Called when there is more to do than before. */
  readonly changed: () => void;
}

/** How a record comes in: encoded, checked, within the budget, in the open batch of its route; or refused, and counted. */
export class Intake {
  readonly #dependencies: Dependencies;
  readonly #intake: DeferredEncoder;
  /** Whether the destination lets records wait to be encoded. */
  readonly #encodesLater: boolean;
  #lastSeq = 0;

  constructor(dependencies: Dependencies) {
    const { destination, options } = dependencies;
    this.#dependencies = dependencies;
    this.#encodesLater = destination.encodeAll !== undefined && destination.reads === 'text';
    this.#intake = new DeferredEncoder(
      options.maxBufferBytes,
      (records) => encodeAllChecked(destination, options.limits, records),
      (record, encoded) => this.#take(record, encoded),
    );
  }

  /** Number of the event that came in last; they count up from 1. */
  get lastSeq(): number {
    return this.#lastSeq;
  }

  /** Takes a record in, unless there is a reason to refuse it anyhow. False: refused on the spot. */
  accept(record: LogRecord, refusal: DropReason | undefined = isSending() ? 'feedback' : undefined): boolean {
    const { changed, reporter } = this.#dependencies;
    // What a callback logs is judged while it is known where it comes from.
    if (reporter.isTelling) return reporter.quietly(() => this.#takeNow(record, refusal));
    if (refusal !== undefined || !this.#canWait(record)) {
      this.#intake.drain();
      return this.#takeNow(record, refusal);
    }
    changed();
    return true;
  }

  /** Takes in what waits for the end of the turn. */
  drain(): void {
    this.#intake.drain();
  }

  /** Takes in a record of our own, whatever room there is. */
  acceptNotice(notice: LogRecord): void {
    const { destination, options } = this.#dependencies;
    const encoded = encodeChecked(destination, options.limits, notice);
    if (!('refused' in encoded)) this.#keep(encoded.events, encoded.costBytes, NOTICE);
  }

  /** Leaves the encoding to the end of the turn, where the destination allows it and the budget has room in any case. */
  #canWait(record: LogRecord): boolean {
    const { options, ledger } = this.#dependencies;
    if (!this.#encodesLater || ledger.bufferBytes > options.maxBufferBytes / 2) return false;
    try {
      return this.#intake.defer(record);
    } catch {
      return false;
    }
  }

  #takeNow(record: LogRecord, refused: DropReason | undefined): boolean {
    const { destination, options } = this.#dependencies;
    return this.#take(record, refused ? { refused } : encodeChecked(destination, options.limits, record));
  }

  #take(record: LogRecord, encoded: CheckedEncoding): boolean {
    const { ledger, budget } = this.#dependencies;
    ledger.receive();
    if ('refused' in encoded) return this.#refuse(encoded.refused, record, encoded.events);
    const { events, costBytes, urgent } = encoded;
    if (this.#hasTooManyRoutes(events)) return this.#refuse('too-many-routes', record, events);
    const { hasRoom, evicted } = budget.makeRoom(costBytes, urgent);
    if (hasRoom) this.#keep(events, costBytes, urgent ? URGENT : ORDINARY);
    // Only now: whoever is told may log again, or look into the ledger.
    const taken = hasRoom || this.#refuse('buffer-full', record, events);
    ledger.lose(evicted, { reason: 'buffer-full', rejected: false });
    return taken;
  }

  #refuse(reason: DropReason, record: LogRecord, events: readonly EncodedEvent[] = []): false {
    const { ledger, clock } = this.#dependencies;
    ledger.refuse(reason, timeOf(record, clock.now()), events);
    return false;
  }

  /** Whether these events would make more routes live at once than are kept. */
  #hasTooManyRoutes(events: readonly EncodedEvent[]): boolean {
    const { batcher, delivery } = this.#dependencies;
    if (Math.max(batcher.size, delivery.routes.size) < MAX_ROUTES) return false;
    return events.some(({ route }) => !batcher.has(route) && !delivery.routes.has(route));
  }

  #keep(events: readonly EncodedEvent[], costBytes: number, kind: EventFlags): void {
    const { ledger, batcher } = this.#dependencies;
    const mark = events.length > 1 ? { ...kind, split: { unsettled: events.length, loss: undefined } } : kind;
    // What is open may have lost all its records.
    let changed = ledger.isEmpty;
    ledger.admit(costBytes, mark.isNotice);
    for (const event of events) if (batcher.add(event, mark, ++this.#lastSeq)) changed = true;
    if (changed) this.#dependencies.changed();
  }
}
