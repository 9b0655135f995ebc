import { clearInterval, setInterval } from 'node:timers';
import type { BatchLimits, DeliveryCode, DeliveryOptions, Shipper } from '@logferry/core';
import { DELIVERY_DEFAULTS } from '../options/delivery-specs.js';
import type { ReadOptions } from '../options/read-options.js';
import { openShipment } from '../targets/target-options.js';
import type { AnyTarget } from '../targets/targets.js';
import type { Terminal } from './terminal.js';
import { lostOf, reportText, statusText } from './texts.js';
import { untilAborted } from './waits.js';

const STATUS_MS = 250;

/** A shorter `closeTimeoutMs` holds for the first wait only: each asks the service again. */
const MIN_ROUND_MS = 2000;

/** The rate of the status line is that of the last seconds. */
const RATE_SAMPLES = 12;

/** Failures that no wait cures: only an operator does. */
const LASTING: ReadonlySet<DeliveryCode> = new Set(['AUTH', 'NOT_FOUND', 'MISCONFIGURED']);

/** One shipper from the first record to the report, with its status line. */
export class Session {
  readonly shipper: Shipper;
  /** Of the destination. */
  readonly limits: BatchLimits;
  /** Names what is shipped to. */
  readonly identity: string;
  /** Most bytes of input that are taken before the shipper is asked for room again: even empty records of them fit into a quarter of its budget. */
  readonly chunkBytes: number;
  readonly #terminal: Terminal;
  readonly #title: string;
  readonly #hasSpool: boolean;
  readonly #closeTimeoutMs: number;
  readonly #startMs = performance.now();
  readonly #delivered: { readonly atMs: number; readonly records: number }[] = [];
  readonly #timer: NodeJS.Timeout;
  /** Shown before the status. */
  #progress: (() => string) | undefined;

  /** Throws `UsageError` for wrong options. */
  constructor(target: AnyTarget, options: ReadOptions, terminal: Terminal) {
    this.#terminal = terminal;
    this.#title = target.title;
    const { shipper, limits, identity } = openShipment(target, options, {
      onError: (error) => terminal.sayFailure(error),
      onDrop: (drop) => terminal.sayDrop(drop),
    });
    this.shipper = shipper;
    this.limits = limits;
    this.identity = identityOf(target, options, identity);
    const { maxBufferBytes, closeTimeoutMs, spool } = { ...DELIVERY_DEFAULTS, ...options.values } as DeliveryOptions;
    this.chunkBytes = Math.max(1, Math.floor(Number(maxBufferBytes) / 256));
    this.#closeTimeoutMs = Number(closeTimeoutMs);
    this.#hasSpool = spool !== undefined;
    this.#timer = setInterval(() => this.#show(), STATUS_MS);
    if (!terminal.isLive) clearInterval(this.#timer);
  }

  /** Shows a text before the counters, as long as the session lasts. */
  showProgress(progress: () => string): void {
    this.#progress = progress;
  }

  /**
   * Delivers the rest. While the service may recover it waits, as long as records may wait at all; no longer than `closeTimeoutMs` if only
   * an operator can mend the fault, if the records are on disk, or once a signal came.
   *
   * @returns records that were lost
   */
  async end({ quiet, asked }: { readonly quiet: boolean; readonly asked: AbortSignal }): Promise<number> {
    let isHopeless = false;
    for (
      let waitMs = this.#closeTimeoutMs;
      !asked.aborted && !this.#hasSpool;
      waitMs = Math.max(waitMs, MIN_ROUND_MS)
    ) {
      const { delivered } = this.shipper.stats();
      const sinceMs = Date.now();
      await untilAborted(this.shipper.flush({ timeoutMs: waitMs }), asked);
      if (this.shipper.stats().pending === 0) break;
      isHopeless = this.shipper.stats().delivered === delivered && this.#isLastingSince(sinceMs);
      if (isHopeless) break;
    }
    await this.shipper.close(isHopeless ? { timeoutMs: 0 } : {});
    clearInterval(this.#timer);
    this.#terminal.status('');
    this.#terminal.sayDropsNow();
    const stats = this.shipper.stats();
    const lost = lostOf(stats);
    if (!quiet || lost > 0) this.#terminal.say(reportText(stats, performance.now() - this.#startMs, this.#title));
    return lost;
  }

  /** Whether the last attempt since a time failed for a fault that only an operator mends. */
  #isLastingSince(sinceMs: number): boolean {
    const { lastError } = this.shipper.stats();
    return lastError !== undefined && lastError.time >= sinceMs && LASTING.has(lastError.code);
  }

  #show(): void {
    const stats = this.shipper.stats();
    this.#delivered.push({ atMs: performance.now(), records: stats.delivered });
    if (this.#delivered.length > RATE_SAMPLES) this.#delivered.shift();
    const [first, last] = [this.#delivered[0], this.#delivered.at(-1)];
    const tookMs = first && last ? last.atMs - first.atMs : 0;
    const perSecond = first && last && tookMs > 0 ? ((last.records - first.records) * 1000) / tookMs : 0;
    const progress = this.#progress?.() ?? '';
    this.#terminal.status(`${progress === '' ? '' : `${progress}  `}${statusText(stats, perSecond)}`);
  }
}

/** Which records go where: whatever a function or a default makes of the names, the options are the same. */
function identityOf({ name, required }: AnyTarget, { values }: ReadOptions, destination: string): string {
  const names = [...required, 'logStreamName', 'topic'];
  return JSON.stringify([name, destination, ...names.map((each) => String(values[each] ?? ''))]);
}
