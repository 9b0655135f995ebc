import { assertBalanced } from '@logferry/core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clouds } from '../support/clouds.js';
import { DEADLINE_MS, type Ending, endings, hosts } from './endings.js';
import { type Cell, type Matrix, type Outcome, startMatrix } from './run.js';
import { matrixTable, readTable, writeTable } from './table.js';

/** A timer that held the process, ours or pino's, would hold it for longer: the shortest has 9 s. */
const PROMPT_MS = 8000;

/** What an exit may take beyond the deadline. */
const GRACE_MS = 250;

const cells: readonly Cell[] = endings.flatMap((ending) =>
  hosts.flatMap((host) => (ending.promises[host] ? clouds.map(({ name: cloud }) => ({ ending, host, cloud })) : [])),
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
    expectWord(outcome, cell);
    if (ending.endpoint === 'healthy') expect(outcome.tookMs).toBeLessThan(PROMPT_MS);
    else expect(await tookLonger(cell, outcome)).toBeLessThan(2 * (DEADLINE_MS + GRACE_MS));
  });

  it('has 5 s until the deadline where closeTimeoutMs is left out', async () => {
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

it('is what the README prints: `npm run matrix`', async () => {
  if (process.env.LOGFERRY_MATRIX === 'print') {
    const times = await Promise.all(cells.map(async (cell) => ({ ...cell, tookMs: (await matrix.run(cell)).tookMs })));
    writeTable(matrixTable(times));
  }
  expect(readTable()).toEqual(matrixTable());
});

/** How much longer it took than the same ending with a healthy endpoint, in milliseconds. */
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

/** What is lost at the deadline is told, and nothing else is said besides the crash of the application. */
function expectWord({ stderr }: Outcome, { ending, host }: Cell): void {
  const { told, exit } = ending.promises[host] ?? {};
  if (told) {
    const counts = [...stderr.matchAll(/\d+(?= records lost \(undeliverable)/g)].map(Number);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(ending.records);
    expect(stderr.split('[logferry]').length - 1).toBeLessThanOrEqual(2);
  } else if (exit === 1) expect(stderr).not.toContain('[logferry]');
  else expect(stderr).toBe('');
}
