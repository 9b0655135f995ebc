import { expect, it } from 'vitest';
import { RecentMap } from '../../src/tail/recent-map.js';

it('remembers the entries of a time on, and in all at most twice as many', () => {
  const map = new RecentMap<number>();
  const windowMs = 5000;
  for (let timeMs = 0; timeMs < 100_000; timeMs++) {
    map.set(`id-${timeMs}`, timeMs, timeMs);
    map.forgetBefore(timeMs - windowMs);
    expect(map.get(`id-${Math.max(0, timeMs - windowMs)}`)).toBe(Math.max(0, timeMs - windowMs));
    expect(map.size).toBeLessThanOrEqual(2 * windowMs + 2);
  }
});
