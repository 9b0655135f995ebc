import { assertBalanced } from '@logferry/core';
import { describe, expect, it } from 'vitest';
import type { Cloud } from '../support/clouds.js';
import { columns, hostsOf, RECORDS, type SpooledCell, spooledEndings, survive } from './survival.js';
import { readTable, survivalTable, writeTable } from './table.js';

const isPrinting = process.env.LOGFERRY_MATRIX === 'print';

/** The clouds take turns, and so do the two ways to write to Log Service. */
const TARGETS: readonly Cloud['label'][] = ['cloudwatch', 'log-service', 'cloudwatch', 'signed log-service'];

const cells: readonly SpooledCell[] = spooledEndings
  .flatMap((ending) =>
    columns.flatMap((column) => hostsOf(column).map(([host, hostOptions]) => ({ ending, column, host, hostOptions }))),
  )
  .map((cell, index) => ({ ...cell, cloud: TARGETS[index % TARGETS.length] as Cloud['label'] }));

describe.concurrent('a process with a spool ends, and the next one delivers what was promised', () => {
  it.each(
    cells.map((cell) => ({
      ...cell,
      name: `${cell.column.mode}, ${cell.host}${cell.column.thread ? ' in a thread' : ''} to ${cell.cloud}`,
    })),
  )('$ending.name: $name', async (cell) => {
    const { ending, column } = cell;
    const fate = ending.fates[columns.indexOf(column)];
    const { exit, before, after, stats, nextStats, stderr, nextStderr, segments } = await survive(cell);
    const numbers = [...before, ...after];
    expect({ exit, before: before.length, after: after.length }, stderr).toEqual({ exit: ending.exit, ...fate });
    expect(numbers).toEqual(Array.from({ length: numbers.length }, (_, number) => number));
    expect(segments).toEqual([]);
    expect(stderr).not.toContain('lost');
    expect(nextStderr).toBe('');
    if (stats) {
      assertBalanced(stats);
      expect(stats).toMatchObject({ received: RECORDS, delivered: before.length, spooled: after.length, pending: 0 });
    }
    if (nextStats) {
      assertBalanced(nextStats);
      expect(nextStats).toMatchObject({ recovered: after.length, delivered: after.length, spooled: 0, pending: 0 });
    }
  });
});

it('is the table of docs/ends.md: `npm run matrix`', () => {
  if (isPrinting) writeTable('spool matrix', survivalTable());
  expect(readTable('spool matrix')).toEqual(survivalTable());
});
