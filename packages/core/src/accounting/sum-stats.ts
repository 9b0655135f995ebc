import type { DeliveryStats } from '../shipper.js';

/** The counters of several shippers, at least one, as if they were one. */
export function sumStats([first, ...others]: readonly DeliveryStats[]): DeliveryStats {
  return others.reduce(
    (a, b) => ({
      ...(add(a, b) as DeliveryStats),
      oldestAgeMs: Math.max(a.oldestAgeMs, b.oldestAgeMs),
      lastError: (a.lastError?.time ?? 0) > (b.lastError?.time ?? 0) ? a.lastError : b.lastError,
    }),
    first as DeliveryStats,
  );
}

/** Adds up numbers, and those of nested objects, by name. */
function add(a: object, b: object): object {
  const total: Record<string, unknown> = { ...a };
  for (const [name, value] of Object.entries(b)) {
    const other = total[name];
    if (typeof value === 'number') total[name] = value + (typeof other === 'number' ? other : 0);
    else if (typeof value === 'object') total[name] = add((other as object | undefined) ?? {}, value);
  }
  return total;
}
