import { type LogRecord, stringify, toEpochMs } from '@logferry/core';
import { LEVEL, MESSAGE } from 'triple-beam';

/** A record as winston hands it to transports. Siblings get the same object, so it is only read. */
export type Info = Readonly<Record<string | symbol, unknown>>;

/** The levels of a logger with their rank; 0 is the most severe. */
export type Levels = Readonly<Record<string, number>>;

/** Stands for a record that cannot be had; the core counts it as unencodable. */
export const unreadable: Info = new Proxy(
  {},
  {
    get() {
      throw new Error('the record cannot be read');
    },
  },
);

/** The view of winston's `info` that the core takes. */
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

  /** `info.level` may be coloured, the symbol's value never is. */
  get level(): string {
    return String(this.#info[LEVEL] ?? this.#info.level);
  }

  get urgent(): boolean {
    const levels = this.#levels ?? {};
    const rank = levels[this.level];
    const limit = levels.warn ?? levels.warning;
    return rank !== undefined && limit !== undefined && rank <= limit;
  }

  /** The line as the user's format made it. */
  get text(): string {
    const message = this.#info[MESSAGE];
    return typeof message === 'string' ? message : stringify(this.fields);
  }

  /** `logger.error(new Error())` makes the error itself the info, whose own message and stack are not enumerable. */
  get fields(): Info {
    const info = this.#info;
    return info instanceof Error ? { ...info, message: info.message, stack: info.stack } : info;
  }
}
