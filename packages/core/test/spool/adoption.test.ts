import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, renameSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { full } from '../../../../forms.js';
import { directoryOf, thisOwner } from '../../src/spool/owner.js';
import { filesIn, leaveOnDisk, temporaryDirectory } from '../support/spool.js';

const CHILD = fileURLToPath(new URL('../children/adopt.mjs', import.meta.url));
const PROCESSES = full ? 12 : 4;
const DIRECTORIES = full ? 200 : 20;
const DEAD = { ...thisOwner(), pid: 2 ** 22 + 1 };

interface Result {
  readonly texts: readonly string[];
  readonly recovered: number;
}

it(`${DIRECTORIES} directories of dead owners are adopted once each by ${PROCESSES} processes that start together`, async () => {
  const directory = temporaryDirectory();
  const expected: string[] = [];
  for (let n = 0; n < DIRECTORIES; n++) {
    const texts = [`${n} first`, `${n} second`];
    expected.push(...texts);
    await leaveOnDisk({ directory }, texts);
    const path = dirname(filesIn(directory).find((name) => name.includes('/free-')) ?? '');
    renameSync(path, join(dirname(path), directoryOf(DEAD)));
  }
  const children = Array.from({ length: PROCESSES }, () => spawn(process.execPath, [CHILD, directory]));
  const outputs = children.map((child) => text(child.stdout));
  await Promise.all(children.map((child) => once(child.stderr, 'data')));
  await expect.poll(() => filesIn(directory), { timeout: 30_000, interval: 50 }).toEqual([]);
  for (const child of children) child.stdin.end('end');
  const results = (await Promise.all(outputs)).map((output) => JSON.parse(output) as Result);
  expect(results.flatMap(({ texts }) => texts).sort()).toEqual(expected.sort());
  expect(results.reduce((sum, { recovered }) => sum + recovered, 0)).toBe(2 * DIRECTORIES);
  // A few directories may all go to the first process that looks.
  if (full) expect(results.filter(({ recovered }) => recovered > 0).length).toBeGreaterThan(1);
  expect(readdirSync(join(directory, readdirSync(directory)[0] as string))).toEqual([]);
}, 60_000);
