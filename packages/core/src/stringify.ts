import { configure } from 'safe-stable-stringify';

/** Handles cycles and BigInt. Keys keep their order. */
const stringifySafely = configure({ deterministic: false });

/** JSON of any value, also with cycles, BigInt, and getters, proxies or `toJSON` that throw. Never throws. */
export function stringify(value: unknown): string {
  try {
    return JSON.stringify(value) ?? 'null';
  } catch {
    // The fast way fails on cycles and BigInt.
  }
  try {
    return stringifySafely(value) ?? 'null';
  } catch {
    return stringifySafely(readableCopy(value, [])) ?? 'null';
  }
}

/** A plain copy in which whatever cannot be read is replaced by a mark. */
function readableCopy(value: unknown, ancestors: readonly unknown[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (ancestors.includes(value)) return '[Circular]';
  const path = [...ancestors, value];
  return attempt(() => {
    if ('toJSON' in value && typeof value.toJSON === 'function') return readableCopy(value.toJSON(), path);
    if (Array.isArray(value)) return value.map((item) => readableCopy(item, path));
    const keys = Object.keys(value) as (keyof typeof value)[];
    return Object.fromEntries(keys.map((key) => [key, attempt(() => readableCopy(value[key], path))]));
  });
}

function attempt(read: () => unknown): unknown {
  try {
    return read();
  } catch {
    return '[Unreadable]';
  }
}
