import { isUrgentLevel, type LogRecord, levelLabel, stringify, toEpochMs } from '@logferry/core';

type Fields = Readonly<Record<string, unknown>>;

/** bunyan's level of a record without one. */
const INFO = 30;

/** Makes a record of an object, which bunyan writes to raw streams, or of a line of JSON, which it writes to others. */
export function recordOf(written: unknown): LogRecord {
  if (typeof written !== 'string') return new BunyanRecord(written as Fields);
  const line = written.trimEnd();
  return new BunyanRecord(parseFields(line) ?? { msg: line }, line);
}

/** The view of bunyan's record that the core takes. All raw streams get the same object: it is only read. */
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
    return levelLabel(this.fields.level ?? INFO);
  }

  get urgent(): boolean {
    return isUrgentLevel(this.fields.level);
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
