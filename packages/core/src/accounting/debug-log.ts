import { debuglog } from 'node:util';
import { isMainThread, threadId } from 'node:worker_threads';
import type { Clock, Timer } from '../contract/clock.js';
import type { Destination } from '../contract/destination.js';
import { durationText } from '../tools/time.js';
import type { DeliveredMessage, DroppedMessage, ErrorMessage, Messages, RetryMessage } from './channels.js';
import { describe, targetOf } from './description.js';
import type { DeliveryStats } from './stats.js';
import { writeToStderr } from './stderr.js';

/** Time between two lines with the state. */
const STATUS_MS = 10_000;

/** Most routes whose first delivery is told. */
const MAX_ROUTES = 100;

interface Dependencies {
  readonly destination: Destination;
  readonly clock: Clock;
  readonly stats: () => DeliveryStats;
}

/** Shows on stderr what a shipper does, if the environment asks for it (see {@link isDebugOn}). */
export function openDebugLog(dependencies: Dependencies): DebugLog | undefined {
  return isDebugOn() ? new DebugLog(dependencies) : undefined;
}

/** `LOGFERRY_DEBUG`, or without it `NODE_DEBUG`, as Node.js reads that: a list of names, with `*` as a wildcard. */
function isDebugOn(): boolean {
  const { LOGFERRY_DEBUG: own } = process.env;
  return own ? own !== '0' && own !== 'false' : debuglog('logferry').enabled;
}

export class DebugLog {
  readonly #dependencies: Dependencies;
  readonly #label: string;
  readonly #startedAtMs: number;
  readonly #routes = new Set<string>();
  #timer: Timer | undefined;
  #lastStatus = { atMs: 0, delivered: 0, state: '' };
  /** The rest of a line for which stderr had no room. */
  #unwritten: Uint8Array = Buffer.alloc(0);
  /** Lines that were left out since then. */
  #leftOut = 0;

  constructor(dependencies: Dependencies) {
    const { destination, clock, stats } = dependencies;
    this.#dependencies = dependencies;
    this.#label = isMainThread ? destination.name : `${destination.name} (thread ${threadId})`;
    this.#startedAtMs = clock.monotonic();
    this.#lastStatus = { atMs: this.#startedAtMs, delivered: 0, state: stateOf(stats()) };
    this.#write(`ships to ${placeOf(destination)}`);
    this.#waitForStatus();
  }

  /** Tells what a channel tells. */
  tell<Kind extends keyof Messages>(kind: Kind, message: Messages[Kind]): void {
    if (kind === 'delivered') this.#delivered(message as DeliveredMessage);
    else if (kind === 'error') this.#failed(message as ErrorMessage);
    else if (kind === 'retry') this.#retried(message as RetryMessage);
    else this.#dropped(message as DroppedMessage);
  }

  /** Tells the last state. */
  close(): void {
    this.#timer?.cancel();
    this.#status();
  }

  #delivered({ route, events, wireBytes, durationMs, requestId }: DeliveredMessage): void {
    if (this.#routes.has(route) || this.#routes.size >= MAX_ROUTES) return;
    this.#routes.add(route);
    const { destination, clock } = this.#dependencies;
    const afterMs = clock.monotonic() - this.#startedAtMs;
    const request = `${countOf(events, 'event')}, ${wireBytes} bytes, in ${Math.round(durationMs)} ms`;
    this.#write(
      `first delivery, ${Math.round(afterMs)} ms after the start: ${request}, request id ${requestId ?? 'unknown'}; to ${placeOf(destination, route)}`,
    );
  }

  #failed({ error: { code, message, requestId } }: ErrorMessage): void {
    this.#write(`attempt failed, ${code}: ${message}${requestId === undefined ? '' : `; request id ${requestId}`}`);
  }

  #retried({ route, code, events, delayMs }: RetryMessage): void {
    const when = delayMs > 0 ? `in ${durationText(delayMs)} at the earliest` : 'at once';
    const target = targetOf(this.#dependencies.destination, route);
    this.#write(`${countOf(events, 'event')} to ${target} go again ${when}, after ${code}`);
  }

  #dropped({ records, reason }: DroppedMessage): void {
    this.#write(`${countOf(records, 'record')} lost (${reason})`);
  }

  #waitForStatus(): void {
    this.#timer = this.#dependencies.clock.setTimer(() => {
      this.#status();
      this.#waitForStatus();
    }, STATUS_MS);
    this.#timer.unref();
  }

  /** Nothing while nothing changes. */
  #status(): void {
    const stats = this.#dependencies.stats();
    const nowMs = this.#dependencies.clock.monotonic();
    const { atMs, delivered, state: before } = this.#lastStatus;
    const state = stateOf(stats);
    if (state === before) {
      this.#lastStatus.atMs = nowMs;
      return;
    }
    this.#lastStatus = { atMs: nowMs, delivered: stats.delivered, state };
    const perSecond = Math.round((1000 * (stats.delivered - delivered)) / Math.max(1, nowMs - atMs));
    this.#write(`${perSecond} records/s, ${state}, oldest ${durationText(stats.oldestAgeMs)}`);
  }

  #write(text: string): void {
    const { clock } = this.#dependencies;
    if (this.#unwritten.length > 0 && !this.#writeRest()) {
      this.#leftOut++;
      return;
    }
    const time = new Date(clock.now()).toISOString();
    const gap = this.#leftOut > 0 ? ` (${countOf(this.#leftOut, 'line')} left out: stderr was full)` : '';
    this.#leftOut = 0;
    this.#unwritten = Buffer.from(`[logferry:debug] ${time} ${this.#label}: ${text}${gap}\n`);
    this.#writeRest();
  }

  /** False while stderr is full. A debug line is not worth waiting for. */
  #writeRest(): boolean {
    this.#unwritten = this.#unwritten.subarray(writeToStderr(this.#unwritten));
    return this.#unwritten.length === 0;
  }
}

function placeOf(destination: Destination, route?: string): string {
  const { target, endpoint, credentials } = describe(destination, route);
  const name = route === undefined ? target : targetOf(destination, route);
  const place = [name, endpoint && `at ${endpoint}`].filter(Boolean).join(' ') || destination.name;
  return credentials ? `${place}; credentials: ${credentials}` : place;
}

/** What is compared: without the age, which always changes. */
function stateOf({ delivered, rejected, dropped, pending, spooled, retries }: DeliveryStats): string {
  const sum = (counts: Readonly<Record<string, number>>): number =>
    Object.values(counts).reduce((total, count) => total + count, 0);
  const byCode = Object.entries(retries).map(([code, count]) => `${code} ${count}`);
  const lost = rejected + sum(dropped);
  const parts = [`delivered ${delivered}`, `waiting ${pending}`];
  if (spooled > 0) parts.push(`on disk ${spooled}`);
  if (lost > 0) parts.push(`lost ${lost}`);
  parts.push(`retries ${sum(retries as Record<string, number>)}${byCode.length > 0 ? ` (${byCode.join(', ')})` : ''}`);
  return parts.join(', ');
}

function countOf(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
