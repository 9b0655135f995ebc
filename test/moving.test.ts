import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { movingPages, withTables } from '../docs/tools/moving-tables.mjs';

it('finds the pages on moving from other packages', () => {
  expect(movingPages).toHaveLength(6);
});

it.each(movingPages)(
  'the tables of %s are those of the unknown-option error: node docs/tools/moving-tables.mjs',
  (page) => {
    const text = readFileSync(new URL(`../docs/${page}`, import.meta.url), 'utf8');
    expect(text).toContain('<!-- moving ');
    expect(withTables(text)).toBe(text);
  },
);
