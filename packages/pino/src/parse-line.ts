import { isUrgentLevel, type LogRecord, levelLabel, parseObject, toEpochMs } from '@logferry/core';
import { INFO, numberOf } from './levels.js';

/** A log record with the number of its level. */
export interface ParsedLine extends LogRecord {
  /** None for a custom label, and for a line without a level: they cannot be compared. */
  readonly levelValue: number | undefined;
}

/** The beginning of a line, unless the logger's `timestamp` or `formatters.level` write another. */
const PREFIX = /^\{"level":(\d+|"[^"\\]*"),"time":(\d+|"[^"\\]*")[,}]/;

/** pino writes its members first: later ones with these names are the application's. */
const PINO_NAMES = ['level', 'time'];

/**
 * Reads a line of a log. Level and time may have any form that pino writes. A JSON object without a level has the level `''`. A
 * line that is no JSON object is plain text, with level info and the time `now`. Never throws.
 *
 * @param now time of a line without a readable time, in epoch milliseconds
 */
export function parseLine(line: string, now: number): ParsedLine {
  return parsePrefix(line, now) ?? parseWhole(line, now) ?? new PinoLine(line, INFO, now, { msg: line });
}

/**
 * Reads level and time without parsing the rest of the line. They are pino's own: keys of the same name that the application
 * logs come later in the line.
 */
function parsePrefix(line: string, now: number): ParsedLine | undefined {
  const match = PREFIX.exec(line);
  if (!match || !line.endsWith('}')) return undefined;
  return new PinoLine(line, unquote(match[1]), toEpochMs(unquote(match[2]), now));
}

function parseWhole(line: string, now: number): ParsedLine | undefined {
  const fields = parseFields(line);
  return fields && new PinoLine(line, fields.level, toEpochMs(fields.time, now), fields);
}

class PinoLine implements ParsedLine {
  readonly text: string;
  readonly time: number;
  readonly level: string;
  readonly levelValue: number | undefined = undefined;
  #fields: Readonly<Record<string, unknown>> | undefined;

  constructor(text: string, level: unknown, time: number, fields?: Readonly<Record<string, unknown>>) {
    this.text = text;
    this.time = time;
    this.#fields = fields;
    if (typeof level === 'string') {
      this.level = level;
      this.levelValue = numberOf(level);
    } else if (typeof level === 'number') {
      this.level = levelLabel(level);
      this.levelValue = level;
    } else {
      this.level = '';
    }
  }

  get urgent(): boolean {
    return isUrgentLevel(this.levelValue);
  }

  get fields(): Readonly<Record<string, unknown>> {
    this.#fields ??= parseFields(this.text) ?? { msg: this.text };
    return this.#fields;
  }
}

function parseFields(line: string): Record<string, unknown> | undefined {
  return line.length > MAX_PARSED_CHARS ? undefined : parseObject(line, PINO_NAMES);
}

/** A longer line takes too long to parse, and no service takes it whole. */
const MAX_PARSED_CHARS = 16 * 1024 * 1024;

function unquote(json = ''): string | number {
  return json.startsWith('"') ? json.slice(1, -1) : Number(json);
}
