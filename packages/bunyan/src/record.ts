import { type LogRecord, stringify, toEpochMs } from '@logferry/core';
import { isUrgent, labelOf } from './levels.js';

type Fields = Readonly<Record<string, unknown>>;

/** The record of what bunyan writes: an object to raw streams, a line of JSON to others. */
export function recordOf(written: unknown): LogRecord {
  if (typeof written !== 'string') return new BunyanRecord(written as Fields);
  const line = written.trimEnd();
  return new BunyanRecord(parseFields(line) ?? { msg: line }, line);
}

/** The view of bunyan's record that the core takes. All raw streams get the same object, so it is only read. */
class BunyanRecord implements LogRecord {
  readonly fields: Fields;
  readonly #line: string | undefined;

  constructor(fields: Fields, line?: string) {
    this.fields = fields;
    this.#line = line;
  }

  get time(): number {
    return toEpochMs(this.fields.time, Date.now());
  }

  get level(): string {
    return labelOf(this.fields.level);
  }

  get urgent(): boolean {
    return isUrgent(this.fields.level);
  }

  get text(): string {
    return this.#line ?? stringify(this.fields);
  }
}

function parseFields(line: string): Fields | undefined {
  try {
    const parsed: unknown = JSON.parse(line);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed) ? (parsed as Fields) : undefined;
  } catch {
    return undefined;
  }
}
