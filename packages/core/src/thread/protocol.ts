import type { DestinationRecipe } from '../contract/destination.js';
import type { DeliveryCode, DeliveryErrorOptions } from '../contract/errors.js';
import type { LogRecord } from '../contract/record.js';
import type { DeliveryOptions, Drop } from '../options/delivery-options.js';
import type { DeliveryStats } from '../shipper.js';

/** What the worker thread is started with. */
export interface ThreadPlan {
  /** Tells code in a worker thread that the worker is ours. */
  readonly isLogferry: true;
  readonly recipe: Pick<DestinationRecipe, 'module' | 'factory' | 'options'>;
  readonly delivery: DeliveryOptions;
  /** The worker reports at once when it has read so much since its last report. */
  readonly reportChars: number;
}

/** What goes to the worker, in one stream with the records, so that it keeps its place among them. */
export type Command =
  | { readonly do: 'flush' | 'close'; readonly id: number; readonly timeoutMs: number | undefined }
  /** Records were lost on the way: the notice in the logs is up to the worker. */
  | { readonly do: 'mention'; readonly drop: Drop };

/** Event of the thread's stream: how far the worker is. */
export const REPORT = 'logferry:report';

export interface Report {
  /** Length of all lines that it has read. */
  readonly readChars: number;
  readonly stats: DeliveryStats;
  /** The order that this answers. */
  readonly reply: number | undefined;
}

/** Event of the thread's stream: a failed attempt, as the worker's `onError` was told. */
export const FAILURE = 'logferry:failure';

export interface Failure extends DeliveryErrorOptions {
  readonly code: DeliveryCode;
  readonly message: string;
}

/** What a line is: an order, or a record whose text comes as it is, or as JSON; capitals are urgent. */
const ORDER = '!';
const TEXT = ['t', 'T'] as const;
const JSON_TEXT = ['j', 'J'] as const;
const FIELDS = ['f', 'F'] as const;

/** Stands nowhere in JSON. */
const SEPARATOR = '\t';

/** What goes to the worker of a record. */
export interface WireRecord extends Pick<LogRecord, 'time' | 'level' | 'urgent'> {
  /** The text, or the fields as JSON. */
  readonly content: string;
}

/** A record as one line, with its end. */
export function lineOf({ time, level, urgent, content }: WireRecord, reads: 'text' | 'fields'): string {
  const variant = urgent ? 1 : 0;
  const head = `${time}${SEPARATOR}${JSON.stringify(level)}${SEPARATOR}`;
  if (reads === 'fields') return `${FIELDS[variant]}${head}${content}\n`;
  if (content.includes('\n')) return `${JSON_TEXT[variant]}${head}${JSON.stringify(content)}\n`;
  return `${TEXT[variant]}${head}${content}\n`;
}

export function lineOfCommand(order: Command): string {
  return `${ORDER}${JSON.stringify(order)}\n`;
}

/** Reads a line, without its end. */
export function parseLine(line: string): { readonly order: Command } | { readonly record: LogRecord } {
  const [kind = ''] = line;
  if (kind === ORDER) return { order: JSON.parse(line.slice(1)) };
  const timeEnd = line.indexOf(SEPARATOR);
  const levelEnd = line.indexOf(SEPARATOR, timeEnd + 1);
  const rest = line.slice(levelEnd + 1);
  const lower = kind.toLowerCase();
  return {
    record: {
      time: Number(line.slice(1, timeEnd)),
      level: JSON.parse(line.slice(timeEnd + 1, levelEnd)),
      urgent: kind !== lower,
      text: lower === JSON_TEXT[0] ? JSON.parse(rest) : rest,
      fields: lower === FIELDS[0] ? JSON.parse(rest) : {},
    },
  };
}
