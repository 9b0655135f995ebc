import { missingGroup, missingStream } from './errors.js';

/** A stored log event. */
export interface CloudWatchEvent {
  /** Unique, and increasing in order of arrival. FilterLogEvents returns it. */
  readonly eventId: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  /** Time of the event, in epoch milliseconds. */
  readonly timestamp: number;
  readonly message: string;
  /** Time of arrival, in epoch milliseconds. */
  readonly ingestionTime: number;
  /** ID of the request that stored it, as in the response's `x-amzn-requestid`. */
  readonly requestId: string;
}

/** A log group. */
export interface LogGroup {
  readonly name: string;
  readonly arn: string;
  readonly creationTime: number;
  readonly logGroupClass: string;
  readonly kmsKeyId: string | undefined;
  readonly tags: Map<string, string>;
  readonly streams: Map<string, LogStream>;
  retentionInDays: number | undefined;
  log: EventLog;
}

/** A log stream. */
export interface LogStream {
  readonly name: string;
  readonly arn: string;
  readonly creationTime: number;
  readonly log: EventLog;
  /** The token that the next batch must carry if sequence tokens are required. */
  nextToken: string | undefined;
  /** Times of the batches of the last second, in epoch milliseconds, if the rate is limited. */
  recentPuts: readonly number[];
  /** Hash of the events of the last batch, if sequence tokens are required. */
  lastBatch: string | undefined;
}

/** The groups, and all events in order of arrival. `arrivals` also keeps the events of deleted groups and streams. */
export interface Store {
  readonly groups: Map<string, LogGroup>;
  readonly arrivals: CloudWatchEvent[];
}

/** Makes an empty store. */
export function createStore(): Store {
  return { groups: new Map(), arrivals: [] };
}

/** A list of events, in order of arrival and of time. */
export class EventLog {
  readonly events: CloudWatchEvent[];
  #sorted: readonly CloudWatchEvent[] = [];

  constructor(events: CloudWatchEvent[] = []) {
    this.events = events;
  }

  /** Events in order of time, then of arrival. The sorted list is kept until new events arrive. */
  byTime(): readonly CloudWatchEvent[] {
    if (this.#sorted.length !== this.events.length) {
      this.#sorted = this.events.toSorted((a, b) => a.timestamp - b.timestamp);
    }
    return this.#sorted;
  }
}

/** The group of that name. Throws `ResourceNotFoundException`. */
export function findGroup(store: Store, name: string): LogGroup {
  const group = store.groups.get(name);
  if (!group) throw missingGroup();
  return group;
}

/** The stream of that name. Throws `ResourceNotFoundException`. */
export function findStream(group: LogGroup, name: string): LogStream {
  const stream = group.streams.get(name);
  if (!stream) throw missingStream();
  return stream;
}
