import { missingLogstore } from './errors.js';
import type { LogGroup } from './log-group.js';
import { DELIMITERS } from './rules.js';

/** A stored log. */
export interface LogServiceEvent {
  readonly project: string;
  readonly logstore: string;
  /** Empty if the request has no topic. */
  readonly topic: string;
  readonly source: string;
  readonly tags: Readonly<Record<string, string>>;
  readonly fields: Readonly<Record<string, string>>;
  /**
   * The log's own time, in epoch milliseconds: that which a signed request states, or that of arrival for web tracking. The
   * service stores its seconds as `__time__`.
   */
  readonly time: number;
  /** The nanoseconds within the second of the log's own time: 0 to 999,999,999. */
  readonly timeNs: number;
  /** Time of arrival, in epoch milliseconds. */
  readonly receiveTime: number;
  /** ID of the request that stored it, as in the response's `x-log-requestid`. */
  readonly requestId: string;
}

/** A logstore. Signed requests can write to each. */
export interface Logstore extends LogstoreSettings {
  /** In epoch milliseconds. */
  readonly createTime: number;
  webTracking: boolean;
  index: Index | undefined;
}

/** The settings with which a logstore is created. */
export interface LogstoreSettings {
  readonly name: string;
  /** Retention, in days. */
  readonly ttl: number;
  readonly shardCount: number;
  readonly autoSplit: boolean;
  readonly maxSplitShard: number;
  readonly appendMeta: boolean;
}

/** The index of a logstore, as CreateIndex received it. */
interface Index {
  readonly line: FullTextIndex | undefined;
  /** Indexes of fields, by key. */
  readonly keys: Readonly<Record<string, object>> | undefined;
  /** In epoch milliseconds. */
  readonly modifyTime: number;
}

/** An index of all fields. */
export interface FullTextIndex {
  /** The characters between words. */
  readonly token: readonly string[];
  readonly caseSensitive?: boolean;
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
  readonly logstores: Map<string, Logstore> = new Map();
  readonly #arrivals: LogServiceEvent[] = [];

  constructor(project: string) {
    this.#project = project;
  }

  /** Switches the web tracking of a logstore; creates a missing one, with a full-text index. */
  set(name: string, webTracking: boolean, now: number): void {
    const logstore = this.logstores.get(name) ?? this.create({ name, ...DEFAULT_SETTINGS }, now);
    logstore.index ??= { line: { token: DELIMITERS }, keys: undefined, modifyTime: now };
    logstore.webTracking = webTracking;
  }

  /** Creates a logstore without an index, and with web tracking off. */
  create(settings: LogstoreSettings, now: number): Logstore {
    const logstore = { ...settings, createTime: now, webTracking: false, index: undefined };
    this.logstores.set(settings.name, logstore);
    return logstore;
  }

  /** The logstore of that name. Throws a ServiceError if it does not exist. */
  find(name: string): Logstore {
    const logstore = this.logstores.get(name);
    if (logstore === undefined) throw missingLogstore(name);
    return logstore;
  }

  /** Stores the logs of a request. */
  add({ topic, source, tags, logs }: LogGroup, { logstore, receiveTime, requestId }: Arrival): void {
    const project = this.#project;
    for (const { fields, time } of logs) {
      const seconds = time?.seconds ?? Math.floor(receiveTime / 1000);
      const timeNs = time === undefined ? Math.floor((receiveTime % 1000) * 1_000_000) : (time.nanoseconds ?? 0);
      this.#arrivals.push({
        project,
        logstore,
        topic,
        source,
        tags,
        fields,
        time: seconds * 1000 + Math.floor(timeNs / 1_000_000),
        timeNs,
        receiveTime,
        requestId,
      });
    }
  }

  /** The last stored logs, at least one. */
  latest(count: number): LogServiceEvent[] {
    return this.#arrivals.slice(-count);
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

const DEFAULT_SETTINGS = { ttl: 30, shardCount: 2, autoSplit: false, maxSplitShard: 0, appendMeta: false };
