import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));
const ROW = /^\| (\d+) \|.*\| (.+) \|$/gm;
const TEST = /`([^`]+\.test\.ts)`: ‘(.+)’/;

const rows = [...readFileSync(`${root}test/complaints.md`, 'utf8').matchAll(ROW)].map(([, number, cell = '']) => ({
  number: Number(number),
  claims: cell.split('<br>'),
}));

describe('the complaints of users', () => {
  it('are numbered from 1 to 26 and beyond, one row each', () => {
    expect(rows.length).toBeGreaterThanOrEqual(26);
    expect(rows.map(({ number }) => number)).toEqual(rows.map((_, index) => index + 1));
  });

  it.each(rows)('number $number names existing tests, or an open case', ({ claims }) => {
    for (const claim of claims) {
      if (claim.startsWith('open: ')) continue;
      const [, file = '', title = ''] = TEST.exec(claim) ?? [];
      expect(claim).toMatch(TEST);
      const titles = readFileSync(root + file, 'utf8').matchAll(/\(\s*(['"`])(.+?)\1,/g);
      expect([...titles].map(([, , found]) => found)).toContain(title);
    }
  });
});
