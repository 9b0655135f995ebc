import type { MessagePort } from 'node:worker_threads';
import type { DeliveryStats } from '../accounting/stats.js';
import { firstLineOf } from '../accounting/stderr-summary.js';
import type { Destination, DestinationRecipe, Drop } from '../contract/destination.js';
import { type DeliveryCode, DeliveryError, type DeliveryErrorOptions } from '../contract/errors.js';
import type { LogRecord } from '../contract/record.js';
import type { DeliveryOptions } from '../options/delivery-options.js';
import { parseObject } from '../tools/parse-object.js';
import { stringify } from '../tools/stringify.js';

/** The data that a worker thread is started with. */
export interface ThreadPlan {
  /** Marks a worker thread as ours, for code that runs in it. */
  readonly isLogferry: true;
  readonly line: WorkerLine;
  readonly recipe: Pick<DestinationRecipe, 'module' | 'factory' | 'options'>;
  readonly delivery: DeliveryOptions;
  /** Length of the lines after which the worker reports at once. */
  readonly reportChars: number;
}

/** The way back from the worker. The main thread can also read it while it is blocked: at the exit of the process. */
interface WorkerLine {
  /** The worker posts a {@link Report} for each change, and gets the ids of {@link Report.reply} that prove that it is alive. */
  readonly port: MessagePort;
  /** Number of reports so far: shared memory that wakes the blocked thread. */
  readonly reports: Int32Array;
}

/** A command to the worker. It is a line among the records, and so keeps its position among them. */
export type Command =
  /**
   * `drain` delivers what dead processes left, too, for at most `closeTimeoutMs`. `settle` delivers for at most `timeoutMs`, and counts the
   * rest as lost. `close` does both, and ends the worker.
   */
  | { readonly do: 'flush' | 'drain' | 'settle' | 'close'; readonly id: number; readonly timeoutMs: number | undefined }
  /** Records were lost on the way: the worker writes the notice in the logs. */
  | { readonly do: 'note-drops'; readonly drop: Drop };

/** The worker's progress. The main thread reports failures and losses, so that each is told once. */
export interface Report {
  /** Length of all lines that the worker has read. */
  readonly readChars: number;
  readonly stats: DeliveryStats;
  /** Number of pending records that are on disk, too: they outlive the worker. */
  readonly onDisk: number;
  /** Failures since the last report. */
  readonly failures: readonly Failure[];
  /** Losses since the last report: all of `stats.dropped`, and of `stats.rejectedByReason`, are in one of the reports. */
  readonly drops: readonly ReportedDrop[];
  /** Id of the command, or of the message, that this replies to. */
  readonly reply: number | undefined;
}

/** A loss without its events, and with a cause that can cross. */
export interface ReportedDrop extends Omit<Drop, 'cause'> {
  readonly cause?: Failure | string;
}

/** A {@link DeliveryError} that can cross. */
export interface Failure extends DeliveryErrorOptions {
  readonly code: DeliveryCode;
  readonly message: string;
}

/**
 * The first character of a line: a command, or a record with its text as it is, its text as JSON, its fields as JSON, or both
 * as JSON. The capital letter marks an urgent record.
 */
const COMMAND = '!';
const TEXT = ['t', 'T'] as const;
const JSON_TEXT = ['j', 'J'] as const;
const FIELDS = ['f', 'F'] as const;
const BOTH = ['b', 'B'] as const;

/** JSON has no tab outside of a string, and an escaped one inside. */
const SEPARATOR = '\t';

export function toFailure({ code, message, retryAfterMs, ambiguous, requestId }: DeliveryError): Failure {
  return { code, message, retryAfterMs, ambiguous, requestId };
}

export function fromFailure({ code, message, ...details }: Failure): DeliveryError {
  return new DeliveryError(code, message, details);
}

export function toCause(cause: unknown): ReportedDrop['cause'] {
  if (cause === undefined) return undefined;
  return DeliveryError.is(cause) ? toFailure(cause) : firstLineOf(cause);
}

export function fromCause(cause: ReportedDrop['cause']): DeliveryError | string | undefined {
  return typeof cause === 'object' ? fromFailure(cause) : cause;
}

/** The part of a record that goes to the worker. */
export interface WireRecord extends Pick<LogRecord, 'time' | 'level' | 'urgent'> {
  /** The text, the fields as JSON, or both as JSON. */
  readonly content: string;
}

/** Reads from a record what its destination reads, as it is now. Throws if the record's getters throw. */
export function toWireRecord(
  record: LogRecord,
  reads: Destination['reads'],
  plainFields: DestinationRecipe['plainFields'],
): WireRecord {
  const { level, urgent } = record;
  const time = Number(record.time);
  const text = reads === 'fields' ? '' : record.text;
  if (typeof level !== 'string' || typeof text !== 'string') throw new TypeError('level and text must be strings');
  if (reads === 'text') return { time, level, urgent, content: text };
  const { fields } = record;
  const json = stringify(plainFields?.(fields) ?? fields);
  return { time, level, urgent, content: reads === 'fields' ? json : JSON.stringify(text) + SEPARATOR + json };
}

/** A record as one line, with its end. */
export function lineOf({ time, level, urgent, content }: WireRecord, reads: Destination['reads']): string {
  const variant = urgent ? 1 : 0;
  const head = `${time}${SEPARATOR}${JSON.stringify(level)}${SEPARATOR}`;
  if (reads === 'fields') return `${FIELDS[variant]}${head}${content}\n`;
  if (reads === 'both') return `${BOTH[variant]}${head}${content}\n`;
  if (content.includes('\n')) return `${JSON_TEXT[variant]}${head}${JSON.stringify(content)}\n`;
  return `${TEXT[variant]}${head}${content}\n`;
}

export function lineOfCommand(command: Command): string {
  return `${COMMAND}${JSON.stringify(command)}\n`;
}

/** Reads a line, without its end. */
export function parseLine(line: string): { readonly command: Command } | { readonly record: LogRecord } {
  const [kind = ''] = line;
  if (kind === COMMAND) return { command: JSON.parse(line.slice(1)) };
  const timeEnd = line.indexOf(SEPARATOR);
  const levelEnd = line.indexOf(SEPARATOR, timeEnd + 1);
  const lower = kind.toLowerCase();
  return {
    record: {
      time: Number(line.slice(1, timeEnd)),
      level: JSON.parse(line.slice(timeEnd + 1, levelEnd)),
      urgent: kind !== lower,
      ...parseContent(lower, line.slice(levelEnd + 1)),
    },
  };
}

function parseContent(kind: string, content: string): Pick<LogRecord, 'text' | 'fields'> {
  switch (kind) {
    case TEXT[0]:
      return { text: content, fields: {} };
    case JSON_TEXT[0]:
      return { text: JSON.parse(content), fields: {} };
    case FIELDS[0]:
      return { text: '', fields: JSON.parse(content) };
    default: {
      const textEnd = content.indexOf(SEPARATOR);
      // Names that are made of fields have all digits of a number.
      return { text: JSON.parse(content.slice(0, textEnd)), fields: parseObject(content.slice(textEnd + 1)) ?? {} };
    }
  }
}
