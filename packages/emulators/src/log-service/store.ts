import { missingLogstore, webTrackingDenied } from './errors.js';
import type { LogGroup } from './log-group.js';
import { LOGSTORE_NAME } from './rules.js';

/** A stored log. */
export interface LogServiceEvent {
  readonly project: string;
  readonly logstore: string;
  /** Empty if the request has no topic. */
  readonly topic: string;
  readonly source: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
  /** Time of arrival, in epoch milliseconds. The service stores it as `__time__`, in seconds. */
  readonly receiveTime: number;
  /** ID of the request that stored it, as in the response's `x-log-requestid`. */
  readonly requestId: string;
}

/** Where, when and by which request logs arrive. */
export interface Arrival {
  readonly logstore: string;
  readonly receiveTime: number;
  readonly requestId: string;
}

/** The logstores of one project, and their logs. */
export class Store {
  readonly #project: string;
  /** Whether web tracking is on, by logstore. */
  readonly #logstores = new Map<string, boolean>();
  readonly #arrivals: LogServiceEvent[] = [];

  constructor(project: string) {
    this.#project = project;
  }

  /** Creates a logstore, or switches its web tracking. Throws a TypeError for an invalid name. */
  set(logstore: string, webTracking: boolean): void {
    if (!LOGSTORE_NAME.test(logstore)) {
      throw new TypeError(`A logstore's name must match ${LOGSTORE_NAME.source}, got "${logstore}"`);
    }
    this.#logstores.set(logstore, webTracking);
  }

  /** Throws a ServiceError unless the logstore exists and its web tracking is on. */
  check(logstore: string): void {
    const webTracking = this.#logstores.get(logstore);
    if (webTracking === undefined) throw missingLogstore(logstore);
    if (!webTracking) throw webTrackingDenied();
  }

  /** Stores the logs of a request. */
  add({ topic, source, tags, logs }: LogGroup, { logstore, receiveTime, requestId }: Arrival): void {
    const project = this.#project;
    for (const fields of logs) {
      this.#arrivals.push({ project, logstore, topic, source, tags, fields, receiveTime, requestId });
    }
  }

  /** Stored logs in order of arrival, as a new list. */
  events({ logstore, topic }: { readonly logstore?: string; readonly topic?: string }): LogServiceEvent[] {
    if (logstore === undefined && topic === undefined) return this.#arrivals.slice();
    return this.#arrivals.filter(
      (event) =>
        (logstore === undefined || event.logstore === logstore) && (topic === undefined || event.topic === topic),
    );
  }
}
