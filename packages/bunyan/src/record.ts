import { isUrgentLevel, type LogRecord, levelLabel, parseObject, stringify, toEpochMs } from '@logferry/core';

type Fields = Readonly<Record<string, unknown>>;

/** The level of a record that has none. */
const INFO = 30;

/** Makes a record from what bunyan writes: an object to a raw stream, a line of JSON to any other. */
export function recordOf(written: unknown): LogRecord {
  if (typeof written !== 'string') return new BunyanRecord(written as Fields);
  const line = written.trimEnd();
  const fields = parseObject(line);
  return new BunyanRecord(fields ?? { msg: line }, line, line.trimStart().startsWith('{') ? line : undefined);
}

/** bunyan's record as a record for the core. All raw streams get the same object, so it is never changed. */
class BunyanRecord implements LogRecord {
  readonly fields: Fields;
  readonly fieldsJson: string | undefined;
  readonly #line: string | undefined;

  constructor(fields: Fields, line?: string, fieldsJson?: string) {
    this.fields = fields;
    this.fieldsJson = fieldsJson;
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
