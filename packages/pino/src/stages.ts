import { type FlushOptions, nextTurn, systemClock } from '@logferry/core';

/** So many turns without a chunk show that no stage holds lines: it may work a few turns on each. */
const QUIET_TURNS = 5;

/** Longest wait: while an application goes on to log, there is always a chunk. */
const MAX_WAIT_MS = 1000;

/** The stages of a pipeline before this stream, which pass lines on in later turns of the event loop. */
export class Stages {
  #chunks = 0;

  /** Called with each chunk that comes out of them. */
  onChunk(): void {
    this.#chunks++;
  }

  /**
   * Waits until they have passed on the lines that the worker has read, unless they wait themselves, for a reply or a timer.
   *
   * @returns the time that is left
   */
  async passed({ timeoutMs = Number.POSITIVE_INFINITY }: FlushOptions): Promise<FlushOptions> {
    const startedMs = systemClock.monotonic();
    const elapsedMs = (): number => systemClock.monotonic() - startedMs;
    let seen = this.#chunks;
    for (let quietTurns = 0; quietTurns < QUIET_TURNS; ) {
      await nextTurn();
      if (elapsedMs() >= Math.min(timeoutMs, MAX_WAIT_MS)) break;
      quietTurns = this.#chunks === seen ? quietTurns + 1 : 0;
      seen = this.#chunks;
    }
    return Number.isFinite(timeoutMs) ? { timeoutMs: Math.max(0, timeoutMs - elapsedMs()) } : {};
  }
}
