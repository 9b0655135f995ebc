import { isUrgentLevel, type LogRecord, levelLabel, parseObject, toEpochMs } from '@logferry/core';
import { textLevel } from './level.js';
import { isUrgentLabel, levelOfWord, syslogLevels } from './level-words.js';
import { textTime } from './text-time.js';

/** A log record that was read from the output of a program. */
export interface RecognisedLine extends LogRecord {
  readonly format: 'pino' | 'bunyan' | 'winston' | 'json' | 'text';
  /** What a person reads: the message of a JSON line, else the whole line. */
  readonly message: string;
  /** False: `time` is the time of reading. */
  readonly hasOwnTime: boolean;
  /** False: `level` is `info`. */
  readonly hasOwnLevel: boolean;
}

/**
 * Recognises what a line says of its time and level: JSON of pino, bunyan, winston and other loggers, and text. Lines that were
 * joined are one text. Never throws.
 *
 * @param now time of a line without a readable time, in epoch milliseconds
 */
export function recognise(line: string, now: number): RecognisedLine {
  return recognisePino(line, now) ?? recogniseJson(line, now) ?? new TextLine(line, now);
}

type Fields = Readonly<Record<string, unknown>>;

/** pino writes level and time first: with these members the rest need not be parsed. */
const PINO_PREFIX = /^\{"level":(\d{1,4}),"time":(\d{10,15}|"[^"\\]*")[,}]/;

/** Of members that share a name, pino's own come first. */
const FIRST_NAMES = ['level', 'time'];

function recognisePino(line: string, now: number): RecognisedLine | undefined {
  if (!line.startsWith('{"level":') || !line.endsWith('}')) return undefined;
  const match = PINO_PREFIX.exec(line);
  if (!match) return undefined;
  const time = match[2]?.startsWith('"') ? match[2].slice(1, -1) : Number(match[2]);
  return new JsonLine(line, 'pino', ownTime(time), Number(match[1]), now);
}

function recogniseJson(line: string, now: number): RecognisedLine | undefined {
  const fields = parseObject(line, FIRST_NAMES);
  if (!fields) return undefined;
  const format = formatOf(fields);
  return new JsonLine(line, format, timeOf(fields, now), levelOf(fields, format), now, fields);
}

function formatOf(fields: Fields): 'pino' | 'bunyan' | 'winston' | 'json' {
  const { level } = fields;
  const hasNumber = typeof level === 'number';
  if ('time' in fields && 'level' in fields) {
    if (hasNumber && 'v' in fields && 'name' in fields) return 'bunyan';
    if (('pid' in fields && 'hostname' in fields) || (hasNumber && 'msg' in fields)) return 'pino';
  }
  const isWinston = typeof level === 'string' && 'message' in fields && level === level.toLowerCase();
  return isWinston ? 'winston' : 'json';
}

/** Where other JSON than that of pino, bunyan and winston may have its time, its level and its message: the first one counts. */
export const TIME_NAMES: readonly string[] = ['time', 'timestamp', '@timestamp', 'ts', 'date', 'datetime', 'eventTime'];
export const LEVEL_NAMES: readonly string[] = ['level', 'severity', 'lvl', 'loglevel', 'log.level', 'levelname'];
export const MESSAGE_NAMES: readonly string[] = ['msg', 'message', 'short_message', 'log', 'event'];

function timeOf(fields: Fields, now: number): number | undefined {
  for (const name of TIME_NAMES) {
    const value = fields[name];
    const time = ownTime(value) ?? (typeof value === 'string' ? textTime(value, now) : undefined);
    if (time !== undefined) return time;
  }
  return undefined;
}

function ownTime(value: unknown): number | undefined {
  const time = toEpochMs(value, -1);
  return time >= 0 ? time : undefined;
}

/** The number of a level of pino or bunyan, or a label. Numbers mean something else in each format: other JSON has labels only. */
function levelOf(fields: Fields, format: RecognisedLine['format']): number | string | undefined {
  const { level } = fields;
  if (typeof level === 'number') {
    if (format !== 'json') return level;
    // GELF has syslog's severities.
    if ('short_message' in fields) return syslogLevels[level];
  }
  for (const name of LEVEL_NAMES) {
    const value = fields[name];
    if (typeof value === 'string' && value !== '') return format === 'winston' ? value : (levelOfWord(value) ?? value);
  }
  return undefined;
}

class JsonLine implements RecognisedLine {
  readonly text: string;
  readonly format: RecognisedLine['format'];
  readonly time: number;
  readonly level: string;
  readonly urgent: boolean;
  readonly hasOwnTime: boolean;
  readonly hasOwnLevel: boolean;
  #fields: Fields | undefined;

  constructor(
    text: string,
    format: RecognisedLine['format'],
    time: number | undefined,
    level: number | string | undefined,
    now: number,
    fields?: Fields,
  ) {
    this.text = text;
    this.format = format;
    this.time = time ?? now;
    this.hasOwnTime = time !== undefined;
    this.level = level === undefined ? 'info' : levelLabel(level);
    this.urgent = typeof level === 'string' ? isUrgentLabel(levelOfWord(level)) : isUrgentLevel(level);
    this.hasOwnLevel = level !== undefined;
    this.#fields = fields;
  }

  get fields(): Fields {
    this.#fields ??= parseObject(this.text, FIRST_NAMES) ?? { message: this.text };
    return this.#fields;
  }

  get fieldsJson(): string {
    return this.text;
  }

  get message(): string {
    const { fields } = this;
    const name = MESSAGE_NAMES.find((candidate) => typeof fields[candidate] === 'string');
    return name ? String(fields[name]) : this.text;
  }
}

class TextLine implements RecognisedLine {
  readonly text: string;
  readonly format = 'text';
  readonly time: number;
  readonly level: string;
  readonly urgent: boolean;
  readonly hasOwnTime: boolean;
  readonly hasOwnLevel: boolean;

  constructor(text: string, now: number) {
    const time = textTime(text, now);
    const level = textLevel(text);
    this.text = text;
    this.time = time ?? now;
    this.hasOwnTime = time !== undefined;
    this.level = level ?? 'info';
    this.urgent = isUrgentLabel(level);
    this.hasOwnLevel = level !== undefined;
  }

  get fields(): Fields {
    return { message: this.text };
  }

  get message(): string {
    return this.text;
  }
}
