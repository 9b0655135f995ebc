import { randomUUID } from 'node:crypto';
import type { Observer, RequestEntry } from '../observer.js';
import type { LedgerReport } from './ledger-report.js';
import { type Ledger, Ledgers } from './ledgers.js';
import { type Place, Places } from './places.js';
import { Ring } from './ring.js';
import { type Second, Series } from './series.js';
import type { SwitchBoard, SwitchChange, Switches } from './switches.js';

/** An event as the page gets it: 100,000 of them need short names. */
export type PageRecord = readonly [
  parent: string,
  child: string,
  /** Its own time, in epoch milliseconds. */
  time: number,
  /** Time of arrival, in epoch milliseconds. */
  arrivalTime: number,
  requestId: string,
  /** A message, or fields. */
  content: string | Readonly<Record<string, string>>,
  /** What a request states of all its logs, such as source and tags. */
  shared?: Readonly<Record<string, unknown>>,
];

/** How a program reaches a cloud, for the page's example. */
export interface CloudSettings {
  readonly name: 'cloudwatch' | 'log-service';
  readonly title: string;
  readonly endpoint: string;
  readonly region: string;
  readonly env: Readonly<Record<string, string>>;
  /** The project and the logstore of Log Service. */
  readonly target?: { readonly project: string; readonly logstore: string };
}

/** A local server, as the page needs it. */
export interface Cloud<Event> {
  readonly switches: SwitchBoard;
  /** After the server listens. */
  settings(): CloudSettings;
  /** Existing groups and streams, or logstores; the second name is empty for a parent without any. */
  places(): Iterable<readonly [parent: string, child: string]>;
  toRecord(event: Event): PageRecord;
}

/** Numbers of what a browser has already. */
export interface Cursor {
  /** Of the events of each cloud. */
  readonly records: readonly number[];
  readonly requests: number;
  readonly change: number;
  readonly second: number;
}

/** What a browser does not have yet. Members without news are absent. */
export interface News {
  readonly records?: readonly (readonly [cloud: number, records: readonly PageRecord[]])[];
  /** Number of events that came faster than the browser gets them. */
  readonly skipped?: number;
  readonly requests?: readonly (readonly [cloud: number, entry: RequestEntry])[];
  /** Of all requests so far, also those that are no longer kept. */
  readonly totals?: { readonly requests: number; readonly violations: number };
  readonly seconds?: readonly Second[];
  readonly places?: readonly (readonly [cloud: number, parent: string, child: string, records: number])[];
  readonly switches?: readonly Switches[];
  readonly ledgers?: readonly Ledger[];
}

const KEPT_EVENTS = 20_000;
const KEPT_REQUESTS = 2000;
/** Of one message to a browser, for each cloud: one that is flooded does not hold up the other. */
const MAX_MESSAGE_RECORDS = 5000;
const MAX_MESSAGE_CHARACTERS = 2 * 1024 * 1024;

/** All that the page shows, of one or two local servers. It keeps the latest only; each browser has a cursor. */
export class Hub {
  /** Tells this run of the server from others. */
  readonly runId: string = randomUUID();
  readonly #clouds: { readonly cloud: Cloud<unknown>; readonly events: Ring<unknown> }[] = [];
  readonly #requests = new Ring<readonly [cloud: number, entry: RequestEntry]>(KEPT_REQUESTS);
  readonly #series = new Series();
  #violations = 0;
  readonly #places = new Places();
  readonly #ledgers = new Ledgers();
  /** Counts the changes of what is sent as a whole. */
  #change = 1;
  #switchesChange = 1;
  #ledgersChange = 0;

  /** Adds a server to the page. The observer is to be told of its requests. */
  add<Event>(cloud: Cloud<Event>): Observer<Event> {
    const events = new Ring<unknown>(KEPT_EVENTS);
    const index = this.#clouds.push({ cloud: cloud as Cloud<unknown>, events }) - 1;
    this.#addPlaces(index);
    return {
      onRequest: (entry) => {
        this.#requests.push([index, entry]);
        this.#violations += entry.violations.length;
        this.#series.add(entry, Date.now());
        if (/^(?:Create|Delete)/.test(entry.operation)) this.#addPlaces(index);
      },
      onEvents: (stored) => {
        for (const event of stored) events.push(event);
        // The events of one request have one place.
        const [parent, child] = cloud.toRecord(stored[0] as Event);
        this.#places.add({ cloud: index, parent, child }, stored.length, ++this.#change);
      },
    };
  }

  settings(): CloudSettings[] {
    return this.#clouds.map(({ cloud }) => cloud.settings());
  }

  /** Changes a switch of a cloud; without a change turns all of them off. Throws a TypeError for unknown names and invalid values. */
  changeSwitch(cloudName: unknown, change: SwitchChange | undefined): void {
    const found = this.#clouds.find(({ cloud }) => cloud.settings().name === cloudName);
    if (!found) throw new TypeError(`cloud: expected the name of a cloud on this page, got ${String(cloudName)}`);
    if (change === undefined) found.cloud.switches.allOff();
    else found.cloud.switches.change(change);
    this.switchesChanged();
  }

  /** To be called when a program has replaced a fault plan. */
  switchesChanged(): void {
    this.#switchesChange = ++this.#change;
  }

  report(report: LedgerReport): void {
    this.#ledgers.add(report, Date.now());
    this.#ledgersChange = ++this.#change;
  }

  /** The cursor of a browser that has nothing: it gets what is kept. */
  start(): Cursor {
    return { records: this.#clouds.map(({ events }) => events.oldest), requests: 0, change: 0, second: 0 };
  }

  /** What came after the cursor, as much as one message may hold, and the cursor after it. */
  newsAfter(cursor: Cursor): { readonly news: News; readonly next: Cursor } {
    const { records, skipped, next } = this.#recordsAfter(cursor.records);
    const requests = [...this.#requests.from(cursor.requests)];
    // The current second still changes, so that it is sent again after each of its requests.
    const seconds = requests.length > 0 ? this.#series.from(cursor.second) : [];
    const places = cursor.change < this.#change ? this.#places.changedAfter(cursor.change) : [];
    return {
      news: {
        ...(records.length > 0 && { records }),
        ...(skipped > 0 && { skipped }),
        ...(requests.length > 0 && {
          requests,
          totals: { requests: this.#requests.count, violations: this.#violations },
        }),
        ...(seconds.length > 0 && { seconds }),
        ...(places.length > 0 && { places: places.map(placeOf) }),
        ...(this.#switchesChange > cursor.change && {
          switches: this.#clouds.map(({ cloud }) => cloud.switches.positions()),
        }),
        ...(this.#ledgersChange > cursor.change && { ledgers: this.#ledgers.all() }),
      },
      next: {
        records: next,
        requests: this.#requests.count,
        change: this.#change,
        second: seconds.at(-1)?.second ?? cursor.second,
      },
    };
  }

  #recordsAfter(cursors: readonly number[]): { records: [number, PageRecord[]][]; skipped: number; next: number[] } {
    let skipped = 0;
    const records: [number, PageRecord[]][] = [];
    const next = this.#clouds.map(({ cloud, events }, index) => {
      const cursor = cursors[index] ?? events.oldest;
      skipped += Math.max(0, events.oldest - cursor);
      const sent: PageRecord[] = [];
      let characters = 0;
      for (const event of events.from(cursor)) {
        if (sent.length >= MAX_MESSAGE_RECORDS || characters >= MAX_MESSAGE_CHARACTERS) break;
        const record = cloud.toRecord(event);
        sent.push(record);
        characters += lengthOf(record);
      }
      if (sent.length > 0) records.push([index, sent]);
      return Math.max(cursor, events.oldest) + sent.length;
    });
    return { records, skipped, next };
  }

  #addPlaces(index: number): void {
    this.#change++;
    for (const [parent, child] of this.#clouds[index]?.cloud.places() ?? [])
      this.#places.add({ cloud: index, parent, child }, 0, this.#change);
  }
}

function placeOf({ cloud, parent, child, records }: Place): [number, string, string, number] {
  return [cloud, parent, child, records];
}

function lengthOf([, , , , , content]: PageRecord): number {
  if (typeof content === 'string') return content.length;
  return Object.values(content).reduce((sum, { length }) => sum + length, 0);
}
