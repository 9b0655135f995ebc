import { expect, it } from 'vitest';
import { createMatcher } from '../../src/tail/matcher.js';

it('finds an expression in each text from its beginning', () => {
  expect(createMatcher(/A/giy)(['xa', 'a', 'b', 'a'])).toEqual([true, true, false, true]);
});

it('ends an expression that takes too long, which no signal could end, and works on', () => {
  const match = createMatcher(/^(a+)+$/, 100);
  expect(() => match(['b', `${'a'.repeat(60)}!`])).toThrow('/^(a+)+$/ takes more than 0.1 s for 2 records: ');
  expect(match(['aaa', 'b'])).toEqual([true, false]);
});
