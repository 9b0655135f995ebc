import { expect, it } from 'vitest';
import { RecentMap } from '../../src/tail/recent-map.js';

it('remembers the entries of a time on, and in all at most twice as many', () => {
  const map = new RecentMap<number>();
  const windowMs = 5000;
  let maxSize = 0;
  for (let timeMs = 0; timeMs < 100_000; timeMs++) {
    map.set(`id-${timeMs}`, timeMs, timeMs);
    map.forgetBefore(timeMs - windowMs);
    const oldestMs = Math.max(0, timeMs - windowMs);
    if (map.get(`id-${oldestMs}`) !== oldestMs) expect.fail(`id-${oldestMs} is forgotten`);
    maxSize = Math.max(maxSize, map.size);
  }
  expect(maxSize).toBeLessThanOrEqual(2 * windowMs + 2);
  expect(map.countFrom(99_990)).toBe(10);
});
