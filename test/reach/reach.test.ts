import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { full } from '../../forms.js';
import { Reach } from './context.js';
import type { Outcome } from './row.js';
import { groups } from './rows/index.js';
import { readRow, writeTable } from './table.js';

/** `npm run reach` writes the tables whose rows all passed. Else each row is as the docs say. */
const prints = process.env.LOGFERRY_REACH === 'print';
const reach = new Reach();
const seen = new Map<string, Map<string, Outcome>>(groups.map(({ name }) => [name, new Map()]));

beforeAll(() => reach.pack());
afterAll(() => {
  reach.end();
  if (!prints) return;
  for (const group of groups) {
    const outcomes = seen.get(group.name) ?? new Map();
    if (group.rows.every(({ name }) => outcomes.has(name))) writeTable(group, outcomes);
  }
});

describe.concurrent('Logferry delivers as docs/reach.md says', () => {
  const rows = groups.flatMap((group) => group.rows.map((row) => ({ group, row })));
  for (const { group, row } of rows.filter(({ row }) => row.short || full || prints)) {
    const name = `${group.name}: ${row.name}`;
    it.skipIf(row.lacks)(row.lacks ? `${name}: ${row.lacks}` : name, async () => {
      const outcome = await reach.run(row);
      expect(Object.keys(outcome).sort()).toEqual([...group.columns].sort());
      if (prints) seen.get(group.name)?.set(row.name, outcome);
      else expect(outcome).toEqual(readRow(group, row.name));
    });
  }
});
