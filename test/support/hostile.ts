import { fail, huge, keys, objects, primitives, splats, texts } from './hostile-values.js';

/** An endless source of values that a program should never log. The same seed makes the same values. */
export class HostileSource {
  readonly #random: () => number;
  #calls = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** Arguments of a log call, in every order that a framework accepts. */
  call(): readonly [unknown, ...unknown[]] {
    if (++this.#calls % HUGE_EVERY === 0) return [{ huge: huge[(this.#calls / HUGE_EVERY) % huge.length]?.() }, 'huge'];
    const shape = this.#random();
    if (shape < 0.4) return [this.fields(), this.#pick(texts)];
    if (shape < 0.6) return [this.#pick(texts), this.fields()];
    if (shape < 0.7) return [this.fields()];
    if (shape < 0.85) return [this.#pick(splats), this.#value(), this.#value(), this.fields()];
    if (shape < 0.95) return [this.#value()];
    return [this.#pick(texts), this.#value(), this.#pick(texts), this.#value()];
  }

  /** An object to log, or the bindings of a child logger. */
  fields(): Record<string, unknown> {
    const fields = this.#members(6, 0);
    if (this.#chance(0.02)) Object.defineProperty(fields, this.#pick(keys), { enumerable: true, get: fail });
    if (this.#chance(0.1)) Object.setPrototypeOf(fields, this.#chance(0.5) ? null : (this.#pick(objects)() as object));
    return this.#chance(0.05) ? Object.freeze(fields) : fields;
  }

  /** Serializers of a logger, by the names of fields. */
  serializers(): Record<string, (value: unknown) => unknown> {
    return { user: fail, err: (value) => value, order: () => this.#value(), name: () => undefined };
  }

  #value(depth = 0): unknown {
    const kind = this.#random();
    if (kind < 0.3) return this.#pick(texts);
    if (kind < 0.5) return this.#pick(primitives);
    if (kind < 0.8 || depth > 2) return this.#pick(objects)();
    if (kind < 0.9) return Array.from({ length: this.#below(4) }, () => this.#value(depth + 1));
    return this.#members(4, depth + 1);
  }

  /** A key may be `__proto__`: an own member like any other. */
  #members(limit: number, depth: number): Record<string, unknown> {
    return Object.fromEntries(Array.from({ length: this.#below(limit) }, () => [this.#pick(keys), this.#value(depth)]));
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[this.#below(choices.length)] as T;
  }

  #below(limit: number): number {
    return Math.floor(this.#random() * limit);
  }

  #chance(probability: number): boolean {
    return this.#random() < probability;
  }
}

/** Objects of megabytes are rare, since they take most of the time. */
const HUGE_EVERY = 10_000;

/** mulberry32 */
function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
