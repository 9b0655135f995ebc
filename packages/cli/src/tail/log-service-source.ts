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
  let look = new Look(secondsOf(startMs));
  let forgottenMs = 0;
  let isFirst = true;
  /** Where the next look for late logs begins, and the next round of such looks. */
  let lateSeconds = 0;
  let nextRoundMs = 0;
  let lateNewestSeconds = 0;

  /** Takes those that were not read before. Two equal logs are two logs: the n-th of a look is known if an earlier look had n. */
  function takeFresh(logs: readonly Log[]): TailEvent[] {
    const nowMs = Date.now();
    return logs.flatMap((log) => {
      const { storedMs, ownMs } = timesOfLog(log);
      // Looks begin at a whole second.
      if (storedMs < startMs) return [];
      const { id, isDoubtful } = look.idOf(log, storedMs);
      if (seen.get(id)) return [];
      if (isDoubtful) {
        look.doubt(id, storedMs);
        return [];
      }
      seen.set(id, true, storedMs);
      if (!look.isPartial) newestMs = Math.max(newestMs, Math.min(storedMs, nowMs));
      const { __topic__: ownTopic } = log;
      const origin = topic === undefined ? ownTopic || undefined : undefined;
      return [{ timeMs: ownMs, raw: JSON.stringify(log), line: lineOfLog(log, ownMs), origin }];
    });
  }

  /** Earlier logs do not come any more in this look, nor in one that repeats it. */
  function keptFromMs(): number {
    const keptMs = isFirst ? UNSORTED_MS : MAX_KEPT_MS;
    return look.isRepeated ? startMs : Math.min(newestMs - keptMs, look.doubtsFromMs);
  }

  /** The look after one that has ended. */
  function nextLook(): Look {
    isFirst = false;
    // What was forgotten would be given again.
    startMs = Math.max(startMs, forgottenMs);
    if (look.doubts.size > 0 && !look.isRepeated) return look.repeated(secondsOf(startMs));
    if (seen.countFrom(newestMs - OVERLAP_MS) <= BUSY_LOGS) {
      startMs = Math.max(startMs, newestMs - OVERLAP_MS);
      nextRoundMs = startMs;
      lateSeconds = 0;
      return new Look(secondsOf(startMs));
    }
    const newestSeconds = secondsOf(newestMs);
    const newSeconds = Math.max(secondsOf(startMs), newestSeconds - BUSY_SPAN_SECONDS);
    return look.isLate ? new Look(newSeconds) : lateLook(newSeconds, newestSeconds);
  }

  /** A look at some of the seconds before the newest ones. A round of them begins 30 s before the log that was the newest when the last one began. */
  function lateLook(newSeconds: number, newestSeconds: number): Look {
    if (lateSeconds < secondsOf(startMs)) {
      startMs = Math.max(startMs, nextRoundMs || newestMs - OVERLAP_MS);
      nextRoundMs = newestMs - OVERLAP_MS;
      lateSeconds = secondsOf(startMs);
      lateNewestSeconds = newestSeconds;
    }
    const fromSeconds = lateSeconds;
    const passedSeconds = Math.max(0, newestSeconds - lateNewestSeconds);
    lateNewestSeconds = newestSeconds;
    const toSeconds = Math.min(newSeconds, fromSeconds + BUSY_SPAN_SECONDS + passedSeconds);
    const isRoundOver = toSeconds === newSeconds;
    lateSeconds = isRoundOver ? 0 : toSeconds;
    return fromSeconds < toSeconds ? new Look(fromSeconds, toSeconds) : new Look(newSeconds);
  }

  return {
    async nextPage(signal) {
      const { fromSeconds, toSeconds, offset } = look;
      const page = await reader.readPage({ fromSeconds, toSeconds, offset, topic }, signal);
      const { logs, isComplete, isLast } = page;
      if (!isComplete && ++look.incompletePages < MAX_INCOMPLETE_PAGES)
        return { events: [], isLast: false, pauseMs: INCOMPLETE_PAUSE_MS };
      look.incompletePages = 0;
      // What is missing is looked for again: the next look begins no later.
      look.isPartial ||= !isComplete;
      look.hold(takeFresh(logs));
      look.offset += logs.length;
      forgottenMs = Math.max(startMs, keptFromMs());
      seen.forgetBefore(forgottenMs);
      if (!isLast) return { events: look.release(newestMs - UNSORTED_MS), isLast };
      const events = look.release(Number.POSITIVE_INFINITY);
      look = nextLook();
      // The two looks at a busy logstore have no wait between them.
      return { events, isLast: !look.isRepeated && !look.isLate };
    },
    remedyOfMissing: 'check the names of the project and of the logstore, and that the endpoint is that of its region',
    close: async () => reader.close(),
  };
}

function secondsOf(ms: number): number {
  return Math.floor(ms / 1000);
}

/**
 * A page has 100 logs. Where more pages than ten would be read anew each time, a look has two parts: the newest seconds, and some of
 * those before them, in turn, and as many more as came since the last look.
 */
const BUSY_LOGS = 1000;
const BUSY_SPAN_SECONDS = 3;

/** A round takes no longer, and a look after the sleep of a machine fills no memory. */
const MAX_KEPT_MS = 300_000;

/** The service asks to repeat a request that has found a part. A busy one may never find all. */
const MAX_INCOMPLETE_PAGES = 5;
const INCOMPLETE_PAUSE_MS = 500;

/** The service sorts by the minute. https://www.alibabacloud.com/help/en/sls/developer-reference/api-sls-2020-12-30-getlogs */
const UNSORTED_MS = 60_000;

/** The service takes logs that are up to 15 minutes ahead. */
const MAX_FUTURE_SECONDS = 900;

/** The state of one look at the logs of a span of time, page by page. */
class Look {
  readonly fromSeconds: number;
  readonly toSeconds: number;
  /** It is for late logs only: newer ones are looked for by others. */
  readonly isLate: boolean;
  readonly isRepeated: boolean;
  offset = 0;
  incompletePages = 0;
  /** The service did not find all logs of a page. */
  isPartial = false;
  /** The ids of logs that may be others, read again. */
  readonly doubts = new Set<string>();
  /** The time of the earliest of them. */
  doubtsFromMs = Number.POSITIVE_INFINITY;
  readonly #startMs = Date.now();
  /** The doubts of the look that this one repeats. */
  readonly #confirmed: ReadonlySet<string>;
  /** Numbers of the logs that were equal, and the offset of the page of the first one. */
  readonly #equals = new RecentMap<{ readonly count: number; readonly offset: number }>();
  #held: TailEvent[] = [];

  /** `toSeconds`: all that come after. */
  constructor(fromSeconds: number, toSeconds?: number, repeated?: Look) {
    this.fromSeconds = fromSeconds;
    this.toSeconds = toSeconds ?? Math.ceil(this.#startMs / 1000) + MAX_FUTURE_SECONDS;
    this.isLate = repeated ? repeated.isLate : toSeconds !== undefined;
    this.isRepeated = repeated !== undefined;
    this.#confirmed = repeated?.doubts ?? new Set();
  }

  /** The same look once more, from a time on: it has no doubts about logs that both find. */
  repeated(minSeconds: number): Look {
    return new Look(Math.max(this.fromSeconds, minSeconds), this.toSeconds, this);
  }

  doubt(id: string, storedMs: number): void {
    this.doubts.add(id);
    this.doubtsFromMs = Math.min(this.doubtsFromMs, storedMs);
  }

  /** An id of a log, which has none: what it is, and how many equal ones came before it. */
  idOf(log: Log, storedMs: number): { readonly id: string; readonly isDoubtful: boolean } {
    const content = hash('sha1', JSON.stringify(Object.entries(log).sort(([a], [b]) => (a < b ? -1 : 1))), 'base64');
    const { count, offset } = this.#equals.get(content) ?? { count: 0, offset: this.offset };
    this.#equals.set(content, { count: count + 1, offset }, storedMs);
    this.#equals.forgetBefore(storedMs - UNSORTED_MS);
    const id = `${content}/${count}`;
    // A log that comes between two pages moves those after it by one: the last log of a page is the first one of the next.
    const isNew = storedMs >= this.#startMs - OVERLAP_MS;
    return { id, isDoubtful: isNew && offset < this.offset && !this.#confirmed.has(id) };
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
