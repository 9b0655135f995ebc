import { missingGroup, missingStream } from './errors.js';

/** A log event that the emulator stored. */
export interface CloudWatchEvent {
  /** Unique, and in order of arrival. FilterLogEvents returns it, too. */
  readonly eventId: string;
  readonly logGroupName: string;
  readonly logStreamName: string;
  /** Time of the event, in epoch milliseconds. */
  readonly timestamp: number;
  readonly message: string;
  /** When it arrived, in epoch milliseconds. */
  readonly ingestionTime: number;
  /** Request that brought it. */
  readonly requestId: string;
}

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

export interface LogStream {
  readonly name: string;
  readonly arn: string;
  readonly creationTime: number;
  readonly log: EventLog;
  /** The token that the next batch must name when sequence tokens are required. */
  nextToken: string | undefined;
  /** Hash of the events of the last batch, when sequence tokens are required. */
  lastBatch: string | undefined;
}

/** Everything stored. Arrival order is kept apart from the groups, so that it survives their deletion. */
export interface Store {
  readonly groups: Map<string, LogGroup>;
  readonly arrivals: CloudWatchEvent[];
}

export function createStore(): Store {
  return { groups: new Map(), arrivals: [] };
}

/** Events in order of arrival, and on demand in order of time. */
export class EventLog {
  readonly events: CloudWatchEvent[];
  #sorted: readonly CloudWatchEvent[] = [];

  constructor(events: CloudWatchEvent[] = []) {
    this.events = events;
  }

  /** In order of time; events of the same time in order of arrival. Sorted again only after new events came. */
  byTime(): readonly CloudWatchEvent[] {
    if (this.#sorted.length !== this.events.length) {
      this.#sorted = this.events.toSorted((a, b) => a.timestamp - b.timestamp);
    }
    return this.#sorted;
  }
}

export function findGroup(store: Store, name: string): LogGroup {
  const group = store.groups.get(name);
  if (!group) throw missingGroup();
  return group;
}

export function findStream(group: LogGroup, name: string): LogStream {
  const stream = group.streams.get(name);
  if (!stream) throw missingStream();
  return stream;
}
