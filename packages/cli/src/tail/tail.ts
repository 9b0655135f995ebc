import { DeliveryError } from '@logferry/core';
import { recognise } from '../lines/recognise.js';
import { safeLines, safeText } from '../safe-text.js';
import { type CloudWatchTarget, createCloudWatchSource } from './cloudwatch-source.js';
import { followSource } from './follow.js';
import { rankOfLevel } from './level-rank.js';
import { createLogServiceSource, type LogServiceTarget } from './log-service-source.js';
import { createMatcher } from './matcher.js';
import { printEvent } from './print.js';
import type { TailEvent, TailSource } from './source.js';

/** What is followed. */
export type TailTarget = CloudWatchTarget | LogServiceTarget;

/** Which records are printed, and how. */
export interface TailSettings {
  /** Epoch milliseconds of the earliest record. */
  readonly sinceMs: number;
  /** True: goes on with the records that come. */
  readonly follow: boolean;
  /** Only records of this level and worse, on the scale of pino, where 40 is a warning. @default all */
  readonly minRank?: number | undefined;
  /** Only records that it matches, as they came. @default all */
  readonly grep?: RegExp | undefined;
  /** Prints records as they came. */
  readonly raw: boolean;
  /** The wait between two looks for new records, in milliseconds. */
  readonly pollMs: number;
}

/** Where the records are printed. */
export interface TailOutput {
  /** Resolves when more can be written. */
  out(text: string): Promise<void>;
  error(text: string): void;
  readonly hasColours: boolean;
  /** False: `raw` leaves control characters alone, since no terminal obeys them. @default true */
  readonly isTerminal?: boolean | undefined;
}

/**
 * Prints the records of a log group or logstore, and those that come, until the signal aborts. Failures that may pass are told by
 * `output.error`. Rejects with an error that names the remedy for all others.
 */
export async function runTail(
  target: TailTarget,
  settings: TailSettings,
  output: TailOutput,
  signal: AbortSignal,
): Promise<void> {
  const print = createPrinter(settings, output);
  const source = createSource(target, settings.sinceMs);
  try {
    const { follow, pollMs } = settings;
    await followSource(
      source,
      {
        follow,
        pollMs,
        async show(events) {
          const text = print(events);
          if (text !== '') await output.out(text);
        },
        onFailure: (message) => output.error(safeText(`${message}; trying again`)),
      },
      signal,
    );
  } catch (error) {
    throw DeliveryError.is(error) ? failureOf(error, source) : error;
  } finally {
    await source.close();
  }
}

function createSource(target: TailTarget, sinceMs: number): TailSource {
  return target.cloud === 'cloudwatch'
    ? createCloudWatchSource(target, sinceMs)
    : createLogServiceSource(target, sinceMs);
}

/** The text of records, each with its line end; empty if none is wanted. */
function createPrinter(
  { minRank, grep, raw }: TailSettings,
  { hasColours, isTerminal = true }: TailOutput,
): (events: readonly TailEvent[]) => string {
  const match = grep && createMatcher(grep);
  const print = (event: TailEvent): string => {
    const line = recognise(event.line, event.timeMs);
    // A level that has no rank is rather shown than hidden.
    if (minRank !== undefined && (rankOfLevel(line.level) ?? minRank) < minRank) return '';
    if (!raw) return `${printEvent(event, line, { hasColours, nowMs: Date.now() })}\n`;
    return `${isTerminal ? safeLines(event.raw).join('\n') : event.raw}\n`;
  };
  return (events) => {
    const matches = match?.(events.map(({ raw: text }) => text));
    return events.map((event, index) => (matches?.[index] === false ? '' : print(event))).join('');
  };
}

function failureOf(error: DeliveryError, { remedyOfMissing }: TailSource): Error {
  const remedy = error.code === 'NOT_FOUND' ? ` (${remedyOfMissing})` : '';
  return new Error(safeText(error.message + remedy), { cause: error });
}
