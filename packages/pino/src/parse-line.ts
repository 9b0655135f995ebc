import { isUrgentLevel, type LogRecord, parseObject, toEpochMs } from '@logferry/core';
import { INFO, type Levels } from './levels.js';

/** A log record with the number of its level. */
export interface ParsedLine extends LogRecord {
  /** None for a label that is not known, and for a line without a level: they cannot be compared. */
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
export function parseLine(line: string, now: number, levels: Levels): ParsedLine {
  return (
    parsePrefix(line, now, levels) ??
    parseWhole(line, now, levels) ??
    new PinoLine(line, INFO, now, levels, { msg: line })
  );
}

/**
 * Reads level and time of a line of which only the beginning is known. Neither is, unless they come first.
 *
 * @param now time of a line without a readable time, in epoch milliseconds
 */
export function parseHead(head: string, now: number, levels: Levels): Pick<ParsedLine, 'time' | 'levelValue'> {
  return readPrefix(head, now, levels) ?? { time: now, levelValue: undefined };
}

/**
 * Reads level and time without parsing the rest of the line. They are pino's own: keys of the same name that the application
 * logs come later in the line.
 */
function parsePrefix(line: string, now: number, levels: Levels): ParsedLine | undefined {
  return line.endsWith('}') ? readPrefix(line, now, levels) : undefined;
}

function readPrefix(text: string, now: number, levels: Levels): ParsedLine | undefined {
  const match = PREFIX.exec(text);
  return match ? new PinoLine(text, unquote(match[1]), toEpochMs(unquote(match[2]), now), levels) : undefined;
}

function parseWhole(line: string, now: number, levels: Levels): ParsedLine | undefined {
  const fields = parseObject(line, PINO_NAMES);
  return fields && new PinoLine(line, fields.level, toEpochMs(fields.time, now), levels, fields);
}

class PinoLine implements ParsedLine {
  readonly text: string;
  readonly time: number;
  readonly level: string;
  readonly levelValue: number | undefined = undefined;
  #fields: Readonly<Record<string, unknown>> | undefined;

  constructor(text: string, level: unknown, time: number, levels: Levels, fields?: Readonly<Record<string, unknown>>) {
    this.text = text;
    this.time = time;
    this.#fields = fields;
    if (typeof level === 'string') {
      this.level = level;
      this.levelValue = levels.numberOf(level);
    } else if (typeof level === 'number') {
      this.level = levels.labelOf(level);
      this.levelValue = level;
    } else {
      this.level = '';
    }
  }

  get urgent(): boolean {
    return isUrgentLevel(this.levelValue);
  }

  /** None for plain text. */
  get fieldsJson(): string | undefined {
    return this.text.trimStart().startsWith('{') ? this.text : undefined;
  }

  get fields(): Readonly<Record<string, unknown>> {
    this.#fields ??= parseObject(this.text, PINO_NAMES) ?? { msg: this.text };
    return this.#fields;
  }
}

function unquote(json = ''): string | number {
  return json.startsWith('"') ? json.slice(1, -1) : Number(json);
}
