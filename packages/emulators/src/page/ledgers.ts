import type { LedgerReport, ReportedMessage } from './ledger-report.js';
import { Ring } from './ring.js';

/** The ledger of one thread of an application, as it reported it last. */
export interface Ledger extends Omit<LedgerReport, 'messages'> {
  /** Time of the last report, in epoch milliseconds. */
  readonly time: number;
  /** The last messages of its channels, oldest first. */
  readonly messages: readonly ReportedMessage[];
}

const KEPT_LEDGERS = 20;
const KEPT_MESSAGES = 50;

/** The last report of each thread that posts some, those of the latest 20. */
export class Ledgers {
  readonly #ledgers = new Map<string, { ledger: Omit<Ledger, 'messages'>; messages: Ring<ReportedMessage> }>();

  add({ messages: added, ...report }: LedgerReport, time: number): void {
    const messages = this.#ledgers.get(report.id)?.messages ?? new Ring<ReportedMessage>(KEPT_MESSAGES);
    for (const message of added) messages.push(message);
    // The map is in order of the last report, so that the first is the one to go.
    this.#ledgers.delete(report.id);
    this.#ledgers.set(report.id, { ledger: { ...report, time }, messages });
    const [oldest] = this.#ledgers.keys();
    if (this.#ledgers.size > KEPT_LEDGERS) this.#ledgers.delete(oldest as string);
  }

  all(): Ledger[] {
    return [...this.#ledgers.values()].map(({ ledger, messages }) => ({ ...ledger, messages: [...messages.from(0)] }));
  }
}
