import { invalidParameter, unserializable } from './errors.js';

/** The parsed body of a request. Its members are not checked yet. */
export type Input = Readonly<Record<string, unknown>>;

/** Constraints on a string. Lengths are in UTF-16 code units. */
export interface StringRule {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
  /** The only values that are allowed. */
  readonly values?: readonly string[];
}

/** Constraints on an integer. */
export interface IntegerRule {
  readonly min?: number;
  readonly max?: number;
  /** The only values that are allowed. */
  readonly values?: readonly number[];
}

/** Number of broken constraints that an error's text lists. Like the service, it only counts the others. */
const SHOWN_ERRORS = 10;

/**
 * Reads the members of a request; `null` counts as missing. A wrong type throws at once, as in the service's parser.
 * Broken constraints are collected, and `check()` throws them as one error, because the service reports them together.
 */
export class Fields {
  readonly #input: Input;
  readonly #broken: string[] = [];
  #count = 0;

  constructor(input: Input) {
    this.#input = input;
  }

  /** A required string. The result is valid only after `check()` has passed. */
  string(name: string, rule: StringRule = {}): string {
    return this.optionalString(name, rule) ?? this.#missing(name, '');
  }

  /** A string; undefined if it is missing. */
  optionalString(name: string, rule: StringRule = {}): string | undefined {
    const value = this.#input[name] ?? undefined;
    if (value === undefined) return undefined;
    const text = asString(value);
    const { min = 0, max = Number.POSITIVE_INFINITY, pattern, values } = rule;
    if (text.length < min) this.refuse(text, name, `Member must have length greater than or equal to ${min}`);
    if (text.length > max) this.refuse(text, name, `Member must have length less than or equal to ${max}`);
    if (pattern && !pattern.test(text)) {
      const shown = pattern.source.replace(/^\^|\$$/g, '');
      this.refuse(text, name, `Member must satisfy regular expression pattern: ${shown}`);
    }
    if (values && !values.includes(text)) {
      this.refuse(text, name, `Member must satisfy enum value set: [${values.join(', ')}]`);
    }
    if (!text.isWellFormed()) this.refuse(text.toWellFormed(), name, 'Member must be well-formed Unicode');
    return text;
  }

  /** A required integer. The result is valid only after `check()` has passed. */
  integer(name: string, rule: IntegerRule = {}): number {
    return this.optionalInteger(name, rule) ?? this.#missing(name, 0);
  }

  /** An integer; undefined if it is missing. */
  optionalInteger(name: string, rule: IntegerRule = {}): number | undefined {
    const value = this.#input[name] ?? undefined;
    if (value === undefined) return undefined;
    const number = asInteger(value);
    const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, values } = rule;
    if (number < min) this.refuse(String(number), name, `Member must have value greater than or equal to ${min}`);
    if (number > max) this.refuse(String(number), name, `Member must have value less than or equal to ${max}`);
    if (values && !values.includes(number)) {
      this.refuse(String(number), name, `Member must satisfy enum value set: [${values.join(', ')}]`);
    }
    return number;
  }

  /** A boolean; undefined if it is missing. */
  optionalBoolean(name: string): boolean | undefined {
    const value = this.#input[name] ?? undefined;
    if (value !== undefined && typeof value !== 'boolean') throw unserializable('Unexpected token: expected a Boolean');
    return value;
  }

  /** A required list. The caller checks its elements. */
  list(name: string, rule: { readonly min: number; readonly max: number }): readonly unknown[] {
    return this.optionalList(name, rule) ?? this.#missing(name, []);
  }

  /** A list; undefined if it is missing. The caller checks its elements. */
  optionalList(name: string, rule: { readonly min: number; readonly max: number }): readonly unknown[] | undefined {
    const value = this.#input[name] ?? undefined;
    if (value === undefined) return undefined;
    if (!Array.isArray(value)) throw unserializable('Unexpected token: expected a List');
    if (value.length < rule.min) {
      this.refuse('[]', name, `Member must have length greater than or equal to ${rule.min}`);
    }
    if (value.length > rule.max) {
      this.refuse('[...]', name, `Member must have length less than or equal to ${rule.max}`);
    }
    return value;
  }

  /** An object whose values are strings; undefined if it is missing. */
  optionalStringMap(name: string): ReadonlyMap<string, string> | undefined {
    const value = this.#input[name] ?? undefined;
    if (value === undefined) return undefined;
    return new Map(Object.entries(asStructure(value)).map(([key, entry]) => [key, asString(entry)]));
  }

  /** Whether the member is present and not null. */
  has(name: string): boolean {
    return this.#input[name] !== undefined && this.#input[name] !== null;
  }

  /** Records a broken constraint. */
  refuse(value: string, path: string, constraint: string): void {
    this.#record(`Value '${value}' at '${path}' failed to satisfy constraint: ${constraint}`);
  }

  /** Records a required member that is missing. */
  refuseMissing(path: string): void {
    this.#record(`Value null at '${path}' failed to satisfy constraint: Member must not be null`);
  }

  /** Throws all recorded constraints as one `InvalidParameterException`, if there are any. */
  check(): void {
    if (this.#count === 0) return;
    const errors = this.#count === 1 ? '1 validation error' : `${this.#count} validation errors`;
    throw invalidParameter(`${errors} detected: ${this.#broken.join('; ')}`);
  }

  #missing<T>(name: string, placeholder: T): T {
    this.refuseMissing(name);
    return placeholder;
  }

  #record(text: string): void {
    this.#count++;
    if (this.#broken.length < SHOWN_ERRORS) this.#broken.push(text);
  }
}

/** The value, if it is a string. Throws `SerializationException` otherwise. */
export function asString(value: unknown): string {
  if (typeof value !== 'string') throw unserializable(`${tokenOf(value)} can not be converted to a String`);
  return value;
}

/** The value, if it is a safe integer. Throws `SerializationException` otherwise. */
export function asInteger(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw unserializable(`${tokenOf(value)} can not be converted to a Long`);
  return value as number;
}

/** The value, if it is an object. Throws `SerializationException` otherwise. */
export function asStructure(value: unknown): Input {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw unserializable('Unexpected token: expected a Structure or Map');
  }
  return value as Input;
}

/** The name that the service's parser gives to a JSON token. */
function tokenOf(value: unknown): string {
  if (value === null) return 'NULL_VALUE';
  if (typeof value === 'string') return 'STRING_VALUE';
  if (typeof value === 'number') return Number.isInteger(value) ? 'NUMBER_VALUE' : 'DECIMAL_VALUE';
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
  return Array.isArray(value) ? 'START_ARRAY' : 'START_OBJECT';
}
