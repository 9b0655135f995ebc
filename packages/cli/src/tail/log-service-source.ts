import { hash } from 'node:crypto';
import { createLogServiceReader, type LogServiceReaderOptions } from '@logferry/log-service';
import { type Log, lineOfLog, timesOfLog } from './log-service-log.js';
import { RecentMap } from './recent-map.js';
import { OVERLAP_MS, type TailEvent, type TailSource } from './source.js';

/** A logstore of Log Service, and the way to it: as the options of the destination. */
export interface LogServiceTarget extends LogServiceReaderOptions {
  readonly cloud: 'log-service';
  /** The only topic. @default all topics */
  readonly topic?: string | undefined;
}

/** Makes the source of a logstore. Throws `ConfigError` for wrong options. */
export function createLogServiceSource(target: LogServiceTarget, sinceMs: number): TailSource {
  const { cloud: _, topic, ...options } = target;
  const reader = createLogServiceReader(options);
  const seen = new RecentMap<true>();
  let startMs = Math.max(0, sinceMs);
  let newestMs = startMs;
  let look = new Look();

  /** Takes those that were not read before. Two equal logs are two logs: the n-th of a look is known if an earlier look had n. */
  function takeFresh(logs: readonly Log[]): TailEvent[] {
    const nowMs = Date.now();
    return logs.flatMap((log) => {
      const { storedMs, ownMs } = timesOfLog(log);
      // Looks begin at a whole second.
      if (storedMs < startMs) return [];
      const id = look.idOf(log, storedMs);
      if (seen.get(id)) return [];
      seen.set(id, true, storedMs);
      if (!look.isPartial) newestMs = Math.max(newestMs, Math.min(storedMs, nowMs));
      const { __topic__: ownTopic } = log;
      const origin = topic === undefined ? ownTopic || undefined : undefined;
      return [{ timeMs: ownMs, raw: JSON.stringify(log), line: lineOfLog(log, ownMs), origin }];
    });
  }

  return {
    async nextPage(signal) {
      const { toSeconds, offset } = look;
      const query = { fromSeconds: Math.floor(startMs / 1000), toSeconds, offset, topic };
      const { logs, isComplete, isLast } = await reader.readPage(query, signal);
      if (!isComplete && ++look.incompletePages < MAX_INCOMPLETE_PAGES)
        return { events: [], isLast: false, pauseMs: INCOMPLETE_PAUSE_MS };
      look.incompletePages = 0;
      // What is missing is looked for again: the next look begins no later.
      look.isPartial ||= !isComplete;
      look.hold(takeFresh(logs));
      look.offset += logs.length;
      const nextStartMs = Math.max(startMs, newestMs - OVERLAP_MS);
      seen.forgetBefore(nextStartMs);
      if (!isLast) return { events: look.release(newestMs - UNSORTED_MS), isLast };
      const events = look.release(Number.POSITIVE_INFINITY);
      startMs = nextStartMs;
      look = new Look();
      return { events, isLast };
    },
    remedyOfMissing: 'check the names of the project and of the logstore, and that the endpoint is that of its region',
    close: async () => reader.close(),
  };
}

/** The service asks to repeat a request that has found a part. A busy one may never find all. */
const MAX_INCOMPLETE_PAGES = 5;
const INCOMPLETE_PAUSE_MS = 500;

/** The service sorts by the minute. https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-getlogs */
const UNSORTED_MS = 60_000;

/** The service takes logs that are up to 15 minutes ahead. */
const MAX_FUTURE_SECONDS = 900;

/** The state of one look at all logs from a time on, page by page. */
class Look {
  readonly toSeconds: number = Math.ceil(Date.now() / 1000) + MAX_FUTURE_SECONDS;
  offset = 0;
  incompletePages = 0;
  /** The service did not find all logs of a page. */
  isPartial = false;
  /** Numbers of the logs that were equal. */
  readonly #counts = new RecentMap<number>();
  #held: TailEvent[] = [];

  /** An id of a log, which has none: what it is, and how many equal ones came before it. */
  idOf(log: Log, storedMs: number): string {
    const content = hash('sha1', JSON.stringify(Object.entries(log).sort(([a], [b]) => (a < b ? -1 : 1))), 'base64');
    const count = this.#counts.get(content) ?? 0;
    this.#counts.set(content, count + 1, storedMs);
    this.#counts.forgetBefore(storedMs - UNSORTED_MS);
    return `${content}/${count}`;
  }

  hold(events: readonly TailEvent[]): void {
    this.#held.push(...events);
  }

  /** Takes out those before a time, in order. */
  release(beforeMs: number): TailEvent[] {
    const sorted = this.#held.sort((a, b) => a.timeMs - b.timeMs);
    const end = sorted.findIndex(({ timeMs }) => timeMs >= beforeMs);
    return end < 0 ? sorted.splice(0) : sorted.splice(0, end);
  }
}
