import { expect, it } from 'vitest';
import { parseRetryAfter } from '../src/index.js';

it.each([
  ['seconds', '7', 7000],
  ['an absent header', undefined, undefined],
  ['an invalid value', 'soon', undefined],
  ['a date that has passed', 'Wed, 21 Oct 2015 07:28:00 GMT', 0],
])('parseRetryAfter reads %s', (_, header, expected) => {
  expect(parseRetryAfter(header)).toBe(expected);
});

it('parseRetryAfter reads a date in the future', () => {
  const inAnHour = new Date(Date.now() + 3_600_000).toUTCString();
  expect(parseRetryAfter(inAnHour)).toBeGreaterThan(3_500_000);
  expect(parseRetryAfter(inAnHour)).toBeLessThanOrEqual(3_600_000);
});
