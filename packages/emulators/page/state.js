// @ts-check
import { levelOf } from './levels.js';
import { Records } from './records.js';
import { Tail } from './tail.js';

/**
 * @typedef {object} Cloud
 * @property {'cloudwatch' | 'log-service'} name
 * @property {string} title
 * @property {string} endpoint
 * @property {string} region
 * @property {Readonly<Record<string, string>>} env
 * @property {{ project: string, logstore: string }} [target]
 *
 * @typedef {object} Place A group and a stream, or a logstore and a topic.
 * @property {number} cloud
 * @property {string} parent
 * @property {string} child
 * @property {number} records
 *
 * @typedef {object} RequestEntry
 * @property {number} number
 * @property {number} cloud
 * @property {number} time
 * @property {string} operation
 * @property {string} [target]
 * @property {number} wireBytes
 * @property {string} compression
 * @property {number} durationMs
 * @property {number | 'reset' | 'hang'} answer
 * @property {string} [error]
 * @property {string} [fault]
 * @property {number} stored
 * @property {number} rejected
 * @property {number} bytes
 * @property {readonly string[]} violations
 * @property {readonly string[]} tolerated
 *
 * @typedef {object} Second
 * @property {number} second
 * @property {number} records
 * @property {number} wireBytes
 * @property {number} requests
 * @property {number} refused
 * @property {number} durationMs
 * @property {number} slowestMs
 *
 * @typedef {object} Switches
 * @property {number} throttle
 * @property {number} serverError
 * @property {number} reset
 * @property {number} hang
 * @property {number} denied
 * @property {number} latencyMs
 * @property {boolean} down
 * @property {number} skewMs
 * @property {readonly string[]} others
 *
 * @typedef {object} Counts
 * @property {number} received
 * @property {number} recovered
 * @property {number} delivered
 * @property {number} rejected
 * @property {number} spooled
 * @property {number} pending
 * @property {number} inFlight
 * @property {number} requests
 * @property {number} ambiguous
 * @property {number} bufferBytes
 * @property {number} bufferLimitBytes
 * @property {number} oldestAgeMs
 * @property {Readonly<Record<string, number>>} dropped
 * @property {Readonly<Record<string, number>>} retries
 *
 * @typedef {object} Ledger
 * @property {string} id
 * @property {number} pid
 * @property {number} threadId
 * @property {string} title
 * @property {number} time
 * @property {Readonly<Record<string, Counts>>} destinations
 * @property {readonly { time: number, kind: string, destination: string, text: string }[]} messages
 *
 * @typedef {object} News
 * @property {{ clouds: Cloud[], isResumed: boolean }} [hello]
 * @property {[cloud: number, records: import('./records.js').SentRecord[]][]} [records]
 * @property {number} [skipped]
 * @property {[cloud: number, entry: Omit<RequestEntry, 'number' | 'cloud'>][]} [requests]
 * @property {{ requests: number, violations: number }} [totals]
 * @property {Second[]} [seconds]
 * @property {[cloud: number, parent: string, child: string, records: number][]} [places]
 * @property {Switches[]} [switches]
 * @property {Ledger[]} [ledgers]
 */

const KEPT_REQUESTS = 2000;
const KEPT_SECONDS = 600;

/** All that the page knows, and a list of those who want to be told of changes. */
export class State {
  isConnected = false;
  /** Counts the runs of the server: the ids of records and the numbers of requests begin anew in each. */
  run = 0;
  /** @type {readonly Cloud[]} */
  clouds = [];
  /** @type {Place[]} */
  places = [];
  records = new Records();
  tail = new Tail(this.records, this.places);
  /** Oldest first. @type {RequestEntry[]} */
  requests = [];
  requestCount = 0;
  violationCount = 0;
  /** Records that came faster than the page takes them. */
  skipped = 0;
  /** @type {Map<number, Second>} */
  seconds = new Map();
  /** @type {readonly Switches[]} */
  switches = [];
  /** @type {readonly Ledger[]} */
  ledgers = [];
  /** Index of each place, by its names. @type {Map<string, number>} */
  #placeIndexes = new Map();
  /** @type {Set<() => void>} */
  #listeners = new Set();

  /** @param {() => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => {
      this.#listeners.delete(listener);
    };
  }

  changed() {
    for (const listener of this.#listeners) listener();
  }

  /** @param {boolean} isConnected */
  setConnected(isConnected) {
    this.isConnected = isConnected;
    this.changed();
  }

  /** @param {News} news */
  take({ hello, records = [], skipped = 0, requests = [], totals, seconds = [], places = [], switches, ledgers }) {
    if (hello) {
      if (!hello.isResumed) this.#clear();
      this.clouds = hello.clouds;
      this.isConnected = true;
    }
    for (const [cloud, parent, child, count] of places) this.#place(cloud, parent, child).records = count;
    for (const [cloud, sent] of records) for (const record of sent) this.#addRecord(cloud, record);
    this.skipped += skipped;
    this.requestCount = totals?.requests ?? this.requestCount;
    this.violationCount = totals?.violations ?? this.violationCount;
    // Without a gap, also where this browser was too slow: the list computes positions of the numbers.
    for (const [cloud, entry] of requests)
      this.requests.push({ ...entry, cloud, number: (this.requests.at(-1)?.number ?? -1) + 1 });
    this.requests.splice(0, this.requests.length - KEPT_REQUESTS);
    for (const second of seconds) this.seconds.set(second.second, second);
    for (const second of this.seconds.keys()) {
      if (this.seconds.size <= KEPT_SECONDS) break;
      this.seconds.delete(second);
    }
    this.switches = switches ?? this.switches;
    this.ledgers = ledgers ?? this.ledgers;
    this.tail.advance();
    this.changed();
  }

  /**
   * @param {number} cloud
   * @param {import('./records.js').SentRecord} record
   */
  #addRecord(cloud, record) {
    const [parent, child, , , , content] = record;
    this.#place(cloud, parent, child);
    const index = this.#placeIndexes.get(keyOf(cloud, parent, child)) ?? 0;
    this.records.add(record, index, levelOf(content));
  }

  /**
   * @param {number} cloud
   * @param {string} parent
   * @param {string} child
   */
  #place(cloud, parent, child) {
    const key = keyOf(cloud, parent, child);
    const known = this.places[this.#placeIndexes.get(key) ?? -1];
    if (known) return known;
    const place = { cloud, parent, child, records: 0 };
    this.#placeIndexes.set(key, this.places.push(place) - 1);
    return place;
  }

  #clear() {
    this.run++;
    this.records.clear();
    this.tail.clear();
    this.places.length = 0;
    this.#placeIndexes.clear();
    this.seconds.clear();
    Object.assign(this, { requests: [], requestCount: 0, violationCount: 0, skipped: 0, ledgers: [] });
  }
}

/**
 * @param {number} cloud
 * @param {string} parent
 * @param {string} child
 */
function keyOf(cloud, parent, child) {
  return `${cloud}\n${parent}\n${child}`;
}
