import type { LedgerReport, ReportedMessage } from './ledger-report.js';
import { Ring } from './ring.js';

/** The ledger of one thread of an application, as it reported it last. */
export interface Ledger extends Omit<LedgerReport, 'messages'> {
  /** Time of the last report, in epoch milliseconds. */
  readonly time: number;
  /** The last messages of its channels, oldest first. */
  readonly messages: readonly ReportedMessage[];
}

/** A cluster has a thread for each core, and pino one more for each of them. */
const KEPT_LEDGERS = 100;
const KEPT_MESSAGES = 50;

/** The last report of each thread that posts some, those of the latest 100, in order of their first report. */
export class Ledgers {
  readonly #ledgers = new Map<string, { ledger: Omit<Ledger, 'messages'>; messages: Ring<ReportedMessage> }>();

  add({ messages: added, ...report }: LedgerReport, time: number): void {
    const messages = this.#ledgers.get(report.id)?.messages ?? new Ring<ReportedMessage>(KEPT_MESSAGES);
    for (const message of added) messages.push(message);
    // The map is in order of the first report: one that goes on stays where it is.
    this.#ledgers.set(report.id, { ledger: { ...report, time }, messages });
    if (this.#ledgers.size > KEPT_LEDGERS) this.#ledgers.delete(this.#leastUseful());
  }

  /** Of a thread without a transport, if there is one, else of any: the one that has been silent for the longest time. */
  #leastUseful(): string {
    const ledgers = this.all();
    const unused = ledgers.filter((each) => Object.keys(each.destinations).length === 0 && each.messages.length === 0);
    const [first, ...others] = unused.length > 0 ? unused : ledgers;
    return others.reduce((oldest, each) => (each.time < oldest.time ? each : oldest), first as Ledger).id;
  }

  all(): Ledger[] {
    return [...this.#ledgers.values()].map(({ ledger, messages }) => ({ ...ledger, messages: [...messages.from(0)] }));
  }
}
