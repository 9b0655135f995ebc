import type { RequestEntry } from '../observer.js';

/** Sums of one second. */
export interface Second {
  /** Seconds since 1970. */
  readonly second: number;
  /** Stored events. */
  records: number;
  /** Bytes of the requests' bodies, compressed. */
  wireBytes: number;
  requests: number;
  /** Requests without a successful response. */
  refused: number;
  /** Sum of the requests' durations. */
  durationMs: number;
  slowestMs: number;
}

/** The chart shows so much. */
const KEPT_SECONDS = 600;

/** The requests of the last ten minutes, added up by the second in which they end. */
export class Series {
  readonly #seconds: Second[] = [];

  add(entry: RequestEntry, now: number): void {
    const second = Math.floor(now / 1000);
    let current = this.#seconds.at(-1);
    if (current === undefined || current.second < second) {
      current = { second, records: 0, wireBytes: 0, requests: 0, refused: 0, durationMs: 0, slowestMs: 0 };
      this.#seconds.push(current);
      if (this.#seconds.length > KEPT_SECONDS) this.#seconds.shift();
    }
    current.records += entry.stored;
    current.wireBytes += entry.wireBytes;
    current.requests++;
    if (!isSuccess(entry)) current.refused++;
    current.durationMs += entry.durationMs;
    current.slowestMs = Math.max(current.slowestMs, entry.durationMs);
  }

  /** The kept seconds with requests, from that second on. */
  from(second: number): readonly Second[] {
    return this.#seconds.filter((each) => each.second >= second);
  }
}

function isSuccess({ answer }: RequestEntry): boolean {
  return typeof answer === 'number' && answer < 400;
}
