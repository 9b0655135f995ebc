import { invalidParameter } from './errors.js';
import type { Fields } from './fields.js';

/** One page of a list. */
export interface Page<T> {
  readonly items: readonly T[];
  /** Token of the next page; undefined on the last one. */
  readonly nextToken: string | undefined;
}

/** The page of at most `limit` items that begins at index `start`. */
export function page<T>(all: readonly T[], start: number, limit: number): Page<T> {
  const end = start + limit;
  return { items: all.slice(start, end), nextToken: end < all.length ? String(end) : undefined };
}

/** The index that `nextToken` stands for; 0 without a token. Throws `InvalidParameterException` for an invalid one. */
export function readToken(fields: Fields): number {
  const token = fields.optionalString('nextToken', { min: 1 }) ?? '0';
  if (!/^\d{1,15}$/.test(token)) throw invalidParameter('The specified nextToken is invalid.');
  return Number(token);
}
