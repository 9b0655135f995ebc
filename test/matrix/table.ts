import { readFileSync, writeFileSync } from 'node:fs';
import { endings, hosts, type Promised } from './endings.js';
import type { Cell } from './run.js';
import { columns, type Fate, RECORDS, spooledEndings } from './survival.js';

const PAGE = new URL('../../docs/ends.md', import.meta.url);
const TIMES = / · [\d.]+ \/ [\d.]+ s$/;

/** A cell after its run, and the time that it took. */
type Measured = Cell & { readonly tookMs: number };

/** The heads of the columns, then the rows. */
type Table = readonly (readonly string[])[];

/** The matrix as promised. With `measured` cells, each cell has the times to the clouds. */
export function matrixTable(measured: readonly Measured[] = []): Table {
  const rows = endings.map((ending) => {
    const cells = hosts.map((host) => {
      const here = measured.filter((cell) => cell.ending === ending && cell.host === host);
      return describe(ending.promises[host], ending.records) + seconds(here);
    });
    return [ending.name, ...cells];
  });
  return [['ending', ...hosts], ...rows];
}

/** What survives with a spool, as promised. */
export function survivalTable(): Table {
  const head = columns.map(({ mode, thread }) => `\`${mode}\` in ${thread ? 'a thread' : 'process'}`);
  const rows = spooledEndings.map(({ name, fates }) => [name, ...fates.map(describeFate)]);
  return [['ending', ...head], ...rows];
}

/** Names of the tables of the page. */
type Name = 'matrix' | 'spool matrix';

/** A table of the page, without the times. */
export function readTable(name: Name): Table {
  const [markdown = ''] = marked(name).exec(readFileSync(PAGE, 'utf8')) ?? [];
  const [head = '', , ...rows] = markdown.trim().split('\n');
  const cellsOf = (row: string): string[] => row.split('|').slice(1, -1);
  return [head, ...rows].map((row) => cellsOf(row).map((cell) => cell.trim().replace(TIMES, '')));
}

/** Replaces a table of the page. */
export function writeTable(name: Name, table: Table): void {
  const [head = [], ...rows] = table;
  const widths = head.map((_, column) => Math.max(...table.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]): string =>
    `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const markdown = [head, widths.map((width) => '-'.repeat(width)), ...rows].map(line).join('\n');
  writeFileSync(
    PAGE,
    readFileSync(PAGE, 'utf8').replace(marked(name), () => `\n${markdown}\n`),
  );
}

function marked(name: Name): RegExp {
  return new RegExp(`(?<=<!-- ${name} -->\\n).*?(?=\\n<!-- /${name} -->)`, 's');
}

function describeFate({ before, after }: Fate): string {
  if (before === RECORDS) return `${before} of ${RECORDS} at once`;
  return `${after} of ${RECORDS}${after > 0 ? ' by the next start' : ''}`;
}

function describe(promised: Promised | undefined, records: number): string {
  if (!promised) return '– (winston only)';
  const { delivered, reported, exit } = promised;
  const arrived = `${delivered === 'all' ? records : 0} of ${records}${reported ? ', reported' : ''}`;
  return `${arrived} · ${typeof exit === 'number' ? `exit ${exit}` : exit}`;
}

function seconds(measured: readonly Measured[]): string {
  if (measured.length === 0) return '';
  return ` · ${measured.map(({ tookMs }) => (tookMs / 1000).toFixed(1)).join(' / ')} s`;
}
