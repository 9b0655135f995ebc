import { invalidParameter } from './errors.js';
import type { Fields } from './fields.js';

export interface Page<T> {
  readonly items: readonly T[];
  readonly nextToken: string | undefined;
}

/** The items from `start` on, at most `limit` of them. */
export function page<T>(all: readonly T[], start: number, limit: number): Page<T> {
  const end = start + limit;
  return { items: all.slice(start, end), nextToken: end < all.length ? String(end) : undefined };
}

/** Where `nextToken` says to begin; 0 without one. */
export function readToken(fields: Fields): number {
  const token = fields.optionalString('nextToken', { min: 1 }) ?? '0';
  if (!/^\d{1,15}$/.test(token)) throw invalidParameter('The specified nextToken is invalid.');
  return Number(token);
}
