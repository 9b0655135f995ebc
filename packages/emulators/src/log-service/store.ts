import { missingLogstore, webTrackingDenied } from './errors.js';
import type { LogGroup } from './log-group.js';
import { LOGSTORE_NAME } from './rules.js';

/** A log that the emulator stored. */
export interface LogServiceEvent {
  readonly project: string;
  readonly logstore: string;
  /** Empty when the request named none. */
  readonly topic: string;
  readonly source: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
  /** When it arrived, in epoch milliseconds. The service makes it `__time__`, in seconds. */
  readonly receiveTime: number;
  /** Request that brought it. */
  readonly requestId: string;
}

export interface Arrival {
  readonly logstore: string;
  readonly receiveTime: number;
  readonly requestId: string;
}

/** The logstores of one project, and what they were sent. */
export class Store {
  readonly #project: string;
  /** Whether web tracking is on, by name. */
  readonly #logstores = new Map<string, boolean>();
  readonly #arrivals: LogServiceEvent[] = [];

  constructor(project: string) {
    this.#project = project;
  }

  /** Creates the logstore, or switches its web tracking. */
  set(logstore: string, webTracking: boolean): void {
    if (!LOGSTORE_NAME.test(logstore)) {
      throw new TypeError(`A logstore's name must match ${LOGSTORE_NAME.source}, got "${logstore}"`);
    }
    this.#logstores.set(logstore, webTracking);
  }

  /** Throws unless the logstore exists and takes web tracking. */
  check(logstore: string): void {
    const webTracking = this.#logstores.get(logstore);
    if (webTracking === undefined) throw missingLogstore(logstore);
    if (!webTracking) throw webTrackingDenied();
  }

  add({ topic, source, tags, logs }: LogGroup, { logstore, receiveTime, requestId }: Arrival): void {
    const project = this.#project;
    for (const fields of logs) {
      this.#arrivals.push({ project, logstore, topic, source, tags, fields, receiveTime, requestId });
    }
  }

  /** In order of arrival; a list of its own. */
  events({ logstore, topic }: { readonly logstore?: string; readonly topic?: string }): LogServiceEvent[] {
    if (logstore === undefined && topic === undefined) return this.#arrivals.slice();
    return this.#arrivals.filter(
      (event) =>
        (logstore === undefined || event.logstore === logstore) && (topic === undefined || event.topic === topic),
    );
  }
}
