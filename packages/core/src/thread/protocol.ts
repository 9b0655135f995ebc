import type { MessagePort } from 'node:worker_threads';
import type { DeliveryStats } from '../accounting/stats.js';
import { firstLineOf } from '../accounting/stderr-summary.js';
import type { Destination, DestinationRecipe, Drop } from '../contract/destination.js';
import { type DeliveryCode, DeliveryError, type DeliveryErrorOptions } from '../contract/errors.js';
import type { LogRecord } from '../contract/record.js';
import type { DeliveryOptions } from '../options/delivery-options.js';
import { exactJson } from '../tools/exact-json.js';
import { parseObject } from '../tools/parse-object.js';
import { stringify } from '../tools/stringify.js';

/** The data that a worker thread is started with. */
export interface ThreadPlan {
  /** Marks a worker thread as ours, for code that runs in it. */
  readonly isLogferry: true;
  readonly line: WorkerLine;
  readonly recipe: Pick<DestinationRecipe, 'module' | 'format' | 'factory' | 'options'>;
  readonly delivery: DeliveryOptions;
  /** URL of a module with functions for both. */
  readonly hooks: string | undefined;
  /** Length of the lines after which the worker reports at once. */
  readonly reportChars: number;
}

/** The way back from the worker. The main thread can also read it while it is blocked: at the exit of the process. */
interface WorkerLine {
  /** The worker posts a {@link Report} for each change, or once a {@link Misconfigured}, and gets the ids of {@link Report.reply} that prove that it is alive. */
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

/** Why the worker cannot start, and another one could not either: an option is wrong. */
export interface Misconfigured {
  readonly option: string;
  readonly message: string;
}

/** A loss without its events, and with a cause that can cross. */
export interface ReportedDrop extends Omit<Drop, 'cause'> {
  readonly cause?: Failure | string;
  /** The worker has told the application of it. */
  readonly isTold: boolean;
}

/** A {@link DeliveryError} that can cross. */
export interface Failure extends DeliveryErrorOptions {
  readonly code: DeliveryCode;
  readonly message: string;
  /** The worker has told the application of it. */
  readonly isTold?: boolean;
}

/**
 * The first character of a line: a command, or a record with its text as it is, its text as JSON, its fields as JSON, both as
 * JSON, or fields whose JSON loses nothing of them. The capital letter marks an urgent record.
 */
const COMMAND = '!';
const TEXT = ['t', 'T'] as const;
const JSON_TEXT = ['j', 'J'] as const;
const FIELDS = ['f', 'F'] as const;
const BOTH = ['b', 'B'] as const;
const EXACT_FIELDS = ['x', 'X'] as const;

/** JSON has no tab outside of a string, and an escaped one inside. */
const SEPARATOR = '\t';

export function toFailure({ code, message, retryAfterMs, ambiguous, requestId }: DeliveryError): Failure {
  return { code, message, retryAfterMs, ambiguous, requestId };
}

export function fromFailure({ code, message, isTold, ...details }: Failure): DeliveryError {
  return new DeliveryError(code, message, details);
}

export function toCause(cause: unknown): ReportedDrop['cause'] {
  if (cause === undefined) return undefined;
  return DeliveryError.is(cause) ? toFailure(cause) : firstLineOf(cause);
}

export function fromCause(cause: ReportedDrop['cause']): DeliveryError | string | undefined {
  return typeof cause === 'object' ? fromFailure(cause) : cause;
}

/** What of each record goes to the worker. */
export interface WireForm {
  readonly reads: Destination['reads'];
  readonly plainFields: DestinationRecipe['plainFields'];
  /** The worker takes the fields apart, and needs all that they have. */
  readonly isExact: boolean;
}

/** The part of a record that goes to the worker. */
export interface WireRecord extends Pick<LogRecord, 'time' | 'level' | 'urgent'> {
  /** The text, the fields as JSON, or both as JSON. */
  readonly content: string;
}

/** Reads from a record what its destination reads, as it is now. Throws if the record's getters throw. */
export function toWireRecord(record: LogRecord, { reads, plainFields, isExact }: WireForm): WireRecord {
  const { level, urgent } = record;
  const time = Number(record.time);
  const text = reads === 'fields' ? '' : record.text;
  if (typeof level !== 'string' || typeof text !== 'string') throw new TypeError('level and text must be strings');
  if (reads === 'text') return { time, level, urgent, content: text };
  const json = isExact ? exactJsonOf(record) : stringify(plainFields?.(record.fields) ?? record.fields);
  return { time, level, urgent, content: reads === 'fields' ? json : JSON.stringify(text) + SEPARATOR + json };
}

/** On one line: the JSON that an adapter has may have line ends. */
function exactJsonOf({ fieldsJson, fields }: LogRecord): string {
  const json = fieldsJson ?? exactJson(fields);
  return json.replace(LINE_ENDS, ' ');
}

/** A record as one line, with its end. */
export function lineOf({ time, level, urgent, content }: WireRecord, { reads, isExact }: WireForm): string {
  const variant = urgent ? 1 : 0;
  const head = `${time}${SEPARATOR}${JSON.stringify(level)}${SEPARATOR}`;
  if (reads === 'fields') return `${(isExact ? EXACT_FIELDS : FIELDS)[variant]}${head}${content}\n`;
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
  return kind === COMMAND ? { command: JSON.parse(line.slice(1)) } : { record: new LineRecord(kind, line) };
}

/** Parses its fields when they are read: of a record that is redacted they never are. */
class LineRecord implements LogRecord {
  readonly time: number;
  readonly level: string;
  readonly urgent: boolean;
  readonly text: string;
  /** Only of a kind whose JSON loses nothing of the fields. */
  readonly fieldsJson: string | undefined;
  #fields: LogRecord['fields'] | undefined;

  constructor(kind: string, line: string) {
    const timeEnd = line.indexOf(SEPARATOR);
    const levelEnd = line.indexOf(SEPARATOR, timeEnd + 1);
    const lower = kind.toLowerCase();
    const content = line.slice(levelEnd + 1);
    this.time = Number(line.slice(1, timeEnd));
    this.level = JSON.parse(line.slice(timeEnd + 1, levelEnd));
    this.urgent = kind !== lower;
    const textEnd = lower === BOTH[0] ? content.indexOf(SEPARATOR) : 0;
    this.text = textOf(lower, content, textEnd);
    if (lower === FIELDS[0]) this.#fields = JSON.parse(content);
    else if (lower === EXACT_FIELDS[0]) this.fieldsJson = content;
    else if (lower === BOTH[0]) this.fieldsJson = content.slice(textEnd + 1);
  }

  get fields(): LogRecord['fields'] {
    this.#fields ??= (this.fieldsJson === undefined ? undefined : parseObject(this.fieldsJson)) ?? {};
    return this.#fields;
  }
}

function textOf(kind: string, content: string, textEnd: number): string {
  switch (kind) {
    case TEXT[0]:
      return content;
    case JSON_TEXT[0]:
      return JSON.parse(content);
    case BOTH[0]:
      return JSON.parse(content.slice(0, textEnd));
    default:
      return '';
  }
}

const LINE_ENDS = /[\r\n]/g;
