import { describe, expect, it } from 'vitest';
import { parseSince } from '../../src/tail/since.js';

const now = new Date(2026, 10, 28, 12).getTime();
const since = (text: string): number => parseSince(text, '--since', now);

describe('the earliest record', () => {
  it.each([
    ['90s', 90_000],
    ['1.5h', 5_400_000],
    ['3d', 3 * 86_400_000],
    ['0s', 0],
  ])('is of an age: %s', (text, ageMs) => {
    expect(since(text)).toBe(now - ageMs);
  });

  it('is of a time, by the local clock unless it has a zone', () => {
    expect(since('2026-11-28T09:30')).toBe(new Date(2026, 10, 28, 9, 30).getTime());
    expect(since('2026-11-28 09:30:01.5')).toBe(new Date(2026, 10, 28, 9, 30, 1, 500).getTime());
    expect(since('2026-11-27T09:30:00Z')).toBe(Date.UTC(2026, 10, 27, 9, 30));
    expect(since('2026-11-27T09:30+08:00')).toBe(Date.UTC(2026, 10, 27, 1, 30));
  });

  it('is the beginning of a local day', () => {
    expect(since('2026-11-28')).toBe(new Date(2026, 10, 28).getTime());
  });

  it.each(['5', '90', '10 m', '1h30m', '-5m', '10M', 'yesterday', 'May 5', '2026-13-45', '2026-11', '99'])(
    'is not guessed: %s',
    (text) => {
      expect(() => since(text)).toThrow(`--since: expected an age such as 10m, or a time such as`);
    },
  );

  it('is not ahead', () => {
    expect(() => since('2027-01-01')).toThrow('--since: expected a time of the past, got "2027-01-01"');
  });
});
