import { invalidParameter, unserializable } from './errors.js';

/** A request's body, parsed but not yet checked. */
export type Input = Readonly<Record<string, unknown>>;

export interface StringRule {
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: RegExp;
  readonly values?: readonly string[];
}

export interface IntegerRule {
  readonly min?: number;
  readonly max?: number;
  readonly values?: readonly number[];
}

/** Constraints shown in an error's text; the service, too, counts the rest without showing it. */
const SHOWN_ERRORS = 10;

/**
 * Reads the members of a request. A wrong type throws at once, as the service's parser does; broken constraints are
 * collected, since the service reports them together: `check()` throws them as one error.
 */
export class Fields {
  readonly #input: Input;
  readonly #broken: string[] = [];
  #count = 0;

  constructor(input: Input) {
    this.#input = input;
  }

  /** A required string. The result counts only once `check()` has passed. */
  string(name: string, rule: StringRule = {}): string {
    return this.optionalString(name, rule) ?? this.#missing(name, '');
  }

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

  integer(name: string, rule: IntegerRule = {}): number {
    return this.optionalInteger(name, rule) ?? this.#missing(name, 0);
  }

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

  optionalBoolean(name: string): boolean | undefined {
    const value = this.#input[name] ?? undefined;
    if (value !== undefined && typeof value !== 'boolean') throw unserializable('Unexpected token: expected a Boolean');
    return value;
  }

  /** A required list; its members are the caller's to check. */
  list(name: string, rule: { readonly min: number; readonly max: number }): readonly unknown[] {
    return this.optionalList(name, rule) ?? this.#missing(name, []);
  }

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

  optionalStringMap(name: string): ReadonlyMap<string, string> | undefined {
    const value = this.#input[name] ?? undefined;
    if (value === undefined) return undefined;
    return new Map(Object.entries(asStructure(value)).map(([key, entry]) => [key, asString(entry)]));
  }

  has(name: string): boolean {
    return this.#input[name] !== undefined && this.#input[name] !== null;
  }

  /** Notes a broken constraint. */
  refuse(value: string, path: string, constraint: string): void {
    this.#note(`Value '${value}' at '${path}' failed to satisfy constraint: ${constraint}`);
  }

  /** Notes a required member that is missing. */
  refuseMissing(path: string): void {
    this.#note(`Value null at '${path}' failed to satisfy constraint: Member must not be null`);
  }

  /** Throws all that was noted. */
  check(): void {
    if (this.#count === 0) return;
    const errors = this.#count === 1 ? '1 validation error' : `${this.#count} validation errors`;
    throw invalidParameter(`${errors} detected: ${this.#broken.join('; ')}`);
  }

  #missing<T>(name: string, placeholder: T): T {
    this.refuseMissing(name);
    return placeholder;
  }

  #note(text: string): void {
    this.#count++;
    if (this.#broken.length < SHOWN_ERRORS) this.#broken.push(text);
  }
}

export function asString(value: unknown): string {
  if (typeof value !== 'string') throw unserializable(`${tokenOf(value)} can not be converted to a String`);
  return value;
}

export function asInteger(value: unknown): number {
  if (!Number.isSafeInteger(value)) throw unserializable(`${tokenOf(value)} can not be converted to a Long`);
  return value as number;
}

export function asStructure(value: unknown): Input {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw unserializable('Unexpected token: expected a Structure or Map');
  }
  return value as Input;
}

/** How the service's parser calls what it met. */
function tokenOf(value: unknown): string {
  if (value === null) return 'NULL_VALUE';
  if (typeof value === 'string') return 'STRING_VALUE';
  if (typeof value === 'number') return Number.isInteger(value) ? 'NUMBER_VALUE' : 'DECIMAL_VALUE';
  if (typeof value === 'boolean') return value ? 'TRUE_VALUE' : 'FALSE_VALUE';
  return Array.isArray(value) ? 'START_ARRAY' : 'START_OBJECT';
}
