import { errorFields, isError, type LogRecord, stringify, toEpochMs } from '@logferry/core';
import { LEVEL, MESSAGE } from 'triple-beam';

/** A record of winston. All transports of a logger get the same object, so it is never changed. */
export type Info = Readonly<Record<string | symbol, unknown>>;

/** The ranks of a logger's levels; 0 is the most severe. */
export type Levels = Readonly<Record<string, number>>;

/** Replaces a record that the transport's format failed to make; the core counts it as `unencodable`. */
export const unreadable: Info = new Proxy(
  {},
  {
    get() {
      throw new Error('the record cannot be read');
    },
  },
);

/** winston's `info` as a record for the core. */
export class InfoRecord implements LogRecord {
  readonly #info: Info;
  readonly #levels: Levels | undefined;

  constructor(info: Info, levels: Levels | undefined) {
    this.#info = info;
    this.#levels = levels;
  }

  get time(): number {
    return toEpochMs(this.#info.timestamp, Date.now());
  }

  /** `info.level` may hold colour codes; the symbol's value never does. */
  get level(): string {
    return String(this.#info[LEVEL] ?? this.#info.level);
  }

  get urgent(): boolean {
    const levels = this.#levels ?? {};
    const rank = levels[this.level];
    const limit = levels.warn ?? levels.warning;
    return rank !== undefined && limit !== undefined && rank <= limit;
  }

  /** The line that the format made. */
  get text(): string {
    const message = this.#info[MESSAGE];
    return typeof message === 'string' ? message : stringify(this.fields);
  }

  get fields(): Info {
    return isError(this.#info) ? errorFields(this.#info) : this.#info;
  }
}

/** A copy for a format, which may change it. `logger.error(new Error())` makes the error the info. */
export function copyOf(info: Info): Info {
  return isError(info) ? errorFields(info) : { ...info };
}
