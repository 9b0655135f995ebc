import { standardLevels, wrongOption } from '@logferry/core';

/** The level of a line that has none. */
export const INFO = 30;

/** The part of pino's message that is read here: `logger.levels`. */
interface PinoConfig {
  readonly levels?: { readonly values?: Readonly<Record<string, number>> };
}

/** Names and numbers of levels: the standard ones, and those of the loggers so far. */
export class Levels {
  readonly #numbers = new Map(standardLevels);
  readonly #labels = new Map([...standardLevels].map(([label, level]) => [level, label]));

  /** Reads the message that pino emits on its stream for each new logger, also in its worker. Leaves any other message. */
  learn(message: unknown): void {
    const { code, config } = (message ?? {}) as { readonly code?: unknown; readonly config?: PinoConfig };
    if (code === 'PINO_CONFIG') this.add(config?.levels?.values ?? {});
  }

  /** Adds levels: numbers by name. */
  add(numbers: Readonly<Record<string, number>>): void {
    for (const [label, level] of Object.entries(numbers)) {
      this.#numbers.set(label, level);
      this.#labels.set(level, label);
    }
  }

  /** The name of a level; the digits of a level that has no name. */
  labelOf(level: number): string {
    return this.#labels.get(level) ?? String(level);
  }

  /** The number of a level's name, in upper or lower case. */
  numberOf(label: string): number | undefined {
    return this.#numbers.get(label) ?? this.#numbers.get(label.toLowerCase());
  }
}

/** Checks the option `level`, and returns it as a number; 0 if absent. Throws `ConfigError`. */
export function levelOption(level: unknown): number {
  if (level === undefined) return 0;
  if (typeof level === 'number' && level >= 0) return level;
  const value = typeof level === 'string' ? standardLevels.get(level) : undefined;
  if (value !== undefined) return value;
  throw wrongOption('level', `one of ${[...standardLevels.keys()].join(', ')}, or a number of at least 0`, level);
}
