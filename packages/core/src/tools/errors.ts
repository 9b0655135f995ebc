import { types } from 'node:util';

/** Whether a value is an error: of this realm or another, of any class. Never throws. */
export function isError(value: unknown): value is Error {
  try {
    // The check by 'stack' spares all other objects the call out of JavaScript.
    return value instanceof Error || (isObject(value) && 'stack' in value && types.isNativeError(value));
  } catch {
    return false;
  }
}

/**
 * The names of an object's members that are shipped: the enumerable ones, and of an error also name, message, stack, cause and
 * errors, which are not. Throws for a proxy that does.
 */
export function memberNames(object: object): readonly string[] {
  const names = Object.keys(object);
  if (Object.getPrototypeOf(object) === Object.prototype || !isError(object)) return names;
  const all = new Set(['name', 'message', 'stack', ...names]);
  for (const name of ['cause', 'errors']) if (name in object) all.add(name);
  return [...all];
}

/** An error as a plain object: all that is shipped of it, and what it has under symbols. A member that throws is `'[Unreadable]'`. */
export function errorFields(error: Error): Record<string | symbol, unknown> {
  const fields: Record<string | symbol, unknown> = {};
  for (const name of [...memberNames(error), ...Object.getOwnPropertySymbols(error)]) fields[name] = read(error, name);
  return fields;
}

function read(object: object, name: string | symbol): unknown {
  try {
    return (object as Readonly<Record<string | symbol, unknown>>)[name];
  } catch {
    return '[Unreadable]';
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}
