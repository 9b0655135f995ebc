import { delay, type FlushOptions, inBackground, nextTick, nextTurn, systemClock } from '@logferry/core';
import type { Info } from './record.js';

/** Deadline of the delivery after a crash: winston exits 3,000 ms after it. */
const CRASH_TIMEOUT_MS = 2500;

/** The wait for a logger that keeps the record of the crash back. */
const RECORD_POLL_MS = 10;

interface Dependencies {
  /** Whether a logger keeps records back. */
  readonly holdRecords: () => boolean;
  readonly flush: (options: FlushOptions) => Promise<unknown>;
  /** Called when everything is delivered, or the deadline is over. */
  readonly onDelivered: () => void;
}

/** Delivers the record of a crash, and all records before it, while winston waits to end the process. */
export class CrashDelivery {
  readonly #dependencies: Dependencies;
  #crashes = 0;
  #isRunning = false;
  #awaitsRecord = false;

  constructor(dependencies: Dependencies) {
    this.#dependencies = dependencies;
  }

  /** winston is about to log a crash. It comes with the next record, in this turn unless a logger keeps records back. */
  begin(): void {
    this.#crashes++;
    this.#awaitsRecord = true;
    if (!this.#isRunning) inBackground(this.#run());
  }

  recordArrived(): void {
    this.#awaitsRecord = false;
  }

  /** A crash that comes during the delivery of another is delivered, too: winston ends the process after the first. */
  async #run(): Promise<void> {
    const { holdRecords, flush, onDelivered } = this.#dependencies;
    const deadlineMs = systemClock.monotonic() + CRASH_TIMEOUT_MS;
    const isInTime = (): boolean => systemClock.monotonic() < deadlineMs;
    this.#isRunning = true;
    let delivered = 0;
    do {
      delivered = this.#crashes;
      await nextTurn();
      while ((this.#awaitsRecord || holdRecords()) && isInTime()) await delay(RECORD_POLL_MS);
      await flush({ timeoutMs: Math.max(0, deadlineMs - systemClock.monotonic()) });
    } while (this.#crashes > delivered && isInTime());
    this.#isRunning = false;
    nextTick(onDelivered);
  }
}

/**
 * The kind of crash that winston made the record of. An application may have a field `exception` or `rejection` of its own.
 * Never throws.
 */
export function crashOf(info: Info): 'exception' | 'rejection' | undefined {
  if (!hasCrashField(info)) return undefined;
  try {
    const { exception, date, process, os, trace } = info;
    const isCrash = typeof date === 'string' && isObject(process) && isObject(os) && Array.isArray(trace);
    if (!isCrash) return undefined;
    return exception ? 'exception' : 'rejection';
  } catch {
    return undefined;
  }
}

/** Whether winston's handlers of crashes pass the record on. Never throws. */
export function hasCrashField(info: Info): boolean {
  try {
    return !!info.exception || !!info.rejection;
  } catch {
    return false;
  }
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}
