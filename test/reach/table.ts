import { readFileSync, writeFileSync } from 'node:fs';
import type { Group, Outcome } from './row.js';

const PAGE = new URL('../../docs/reach.md', import.meta.url);

/** The row of a table in the docs, by column; undefined if it is not there. */
export function readRow({ name: group, columns }: Group, row: string): Outcome | undefined {
  const [markdown] = marked(group).exec(readFileSync(PAGE, 'utf8')) ?? [];
  const lines = (markdown ?? '').split('\n').map((line) =>
    line
      .split(/(?<!\\)\|/)
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );
  const cells = lines.find(([first]) => first === row)?.slice(1);
  return cells && Object.fromEntries(columns.map((column, index) => [column, cells[index] ?? '']));
}

/** Replaces the table of a group in the docs. */
export function writeTable({ name, columns, rows }: Group, outcomes: ReadonlyMap<string, Outcome>): void {
  const page = readFileSync(PAGE, 'utf8');
  if (!marked(name).test(page))
    throw new Error(`docs/reach.md has no <!-- reach ${name} --> and <!-- /reach ${name} -->`);
  const body = rows.map((row) => [row.name, ...columns.map((column) => outcomes.get(row.name)?.[column] ?? '')]);
  const lines = [['', ...columns], columns.map(() => '---').concat('---'), ...body].map(
    (cells) => `| ${cells.join(' | ')} |`,
  );
  writeFileSync(
    PAGE,
    page.replace(marked(name), () => `\n${lines.join('\n')}\n\n`),
  );
}

function marked(group: string): RegExp {
  return new RegExp(`(?<=<!-- reach ${group} -->\\n).*?(?=<!-- /reach ${group} -->)`, 's');
}
