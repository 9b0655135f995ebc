import { assertBalanced } from '@logferry/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { DEADLINE_MS, type Ending, endings, hosts } from './endings.js';
import { type Cell, type Matrix, type Outcome, startMatrix } from './run.js';
import { matrixTable, readTable, writeTable } from './table.js';

const isPrinting = process.env.LOGFERRY_MATRIX === 'print';

/** Less than the shortest timer that could hold the process, pino's of 9 s. */
const PROMPT_MS = 8000;

/** Longest time of an exit after the deadline. */
const GRACE_MS = 250;

/** The two ways to write to Log Service take turns. */
const cells: readonly Cell[] = endings.flatMap((ending, row) =>
  hosts.flatMap((host, column): Cell[] => {
    if (!ending.promises[host]) return [];
    const turn = row + column;
    return [
      { ending, host, cloud: 'cloudwatch' },
      { ending, host, cloud: turn % 4 < 2 ? 'log-service' : 'signed log-service' },
    ];
  }),
);

let matrix: Matrix;
beforeAll(async () => {
  matrix = await startMatrix();
});
afterAll(() => matrix.close());

describe.concurrent('a process ends as promised', () => {
  it.each(cells)('$ending.name: $host to $cloud', async (cell) => {
    const { ending, host } = cell;
    const promised = ending.promises[host];
    const outcome = await matrix.run(cell);
    const all = Array.from({ length: ending.records }, (_, number) => number);
    expect(outcome).toMatchObject({ delivered: promised?.delivered === 'all' ? all : [], exit: promised?.exit });
    expectBalanced(outcome, cell);
    expectReport(outcome, cell);
    if (ending.endpoint === 'healthy') expect(outcome.tookMs).toBeLessThan(PROMPT_MS);
    else expect(await tookLonger(cell, outcome)).toBeLessThan(2 * (DEADLINE_MS + GRACE_MS));
  });

  it('has 5 s until the deadline without closeTimeoutMs', async () => {
    const [ending] = endings.filter(({ endpoint }) => endpoint === 'hanging') as [Ending];
    const cell: Cell = { host: 'winston', cloud: 'cloudwatch', ending: { ...ending, options: { maxDelayMs: 0 } } };
    const outcome = await matrix.run(cell);
    expect(outcome.exit).toBe(0);
    expect(outcome.stats).toMatchObject({ pending: 0, dropped: { undeliverable: ending.records } });
    const tookMs = await tookLonger(cell, outcome);
    expect(tookMs).toBeGreaterThan(4000);
    expect(tookMs).toBeLessThan(2 * (5000 + GRACE_MS));
  });
});

it('never breaks a rule of a service', async () => {
  expect(await matrix.violations()).toEqual([]);
});

it('is the table of docs/ends.md: `npm run matrix`', async () => {
  if (isPrinting) {
    const times = await Promise.all(cells.map(async (cell) => ({ ...cell, tookMs: (await matrix.run(cell)).tookMs })));
    writeTable('matrix', matrixTable(times));
  }
  expect(readTable('matrix')).toEqual(matrixTable());
});

/** The time beyond that of the same ending with a healthy endpoint, in milliseconds. */
async function tookLonger(cell: Cell, { tookMs }: Outcome): Promise<number> {
  const { act } = cell.ending;
  const [healthy] = endings.filter((ending) => ending.endpoint === 'healthy' && ending.act === act) as [Ending];
  const baseline = await matrix.run({ ...cell, ending: healthy });
  return tookMs - baseline.tookMs;
}

function expectBalanced({ exit, stats }: Outcome, { host, ending }: Cell): void {
  if (host === 'pino in its worker' || typeof exit === 'string') return;
  if (!stats) throw new Error('no counters');
  assertBalanced(stats);
  if (ending.endpoint !== 'healthy')
    expect(stats).toMatchObject({ pending: 0, dropped: { undeliverable: ending.records } });
}

/** Stderr states the losses at the deadline, and nothing else except the crash of the application. */
function expectReport({ stderr }: Outcome, { ending, host }: Cell): void {
  const { reported, exit } = ending.promises[host] ?? {};
  if (reported) {
    const counts = [...stderr.matchAll(/\d+(?= records lost \(undeliverable)/g)].map(Number);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(ending.records);
    expect(stderr.split('[logferry]').length - 1).toBeLessThanOrEqual(2);
  } else if (exit === 1) expect(stderr).not.toContain('[logferry]');
  else expect(stderr).toBe('');
}
