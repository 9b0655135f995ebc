// Runs all fleets, two at a time, and writes the figures into docs/fleet.md: `npm run fleet`. Exit code 1 if a bar is broken.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { installPeers, machine } from '../bench/setup.mjs';
import { plotFleets } from './plot.mjs';
import { tableOf } from './table.mjs';

const DOCS = new URL('../../docs/', import.meta.url);
const AT_ONCE = 2;

// The longest first, so that the two end together.
const runs = [
  ['large', 'logferry'],
  ['scarce', 'logferry'],
  ['ample', 'logferry'],
  ['hanging', 'logferry'],
  ['large', 'drops'],
  ['large', 'keeps'],
  ['scarce', 'drops'],
  ['scarce', 'keeps'],
  ['ample', 'drops'],
  ['ample', 'keeps'],
];

async function run([fleet, client]) {
  // Young objects live long here: a large nursery halves the work of the garbage collector. Without a limit the heap grows to several times
  // what is in use.
  const execArgv = ['--import', 'tsx', '--max-semi-space-size=64', '--max-old-space-size=1400'];
  const child = fork(fileURLToPath(new URL('run.ts', import.meta.url)), [fleet, client], { execArgv });
  const [result] = await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(([code]) => Promise.reject(new Error(`the run of ${fleet} ended with ${code}`))),
  ]);
  child.disconnect();
  console.log(`${fleet}, ${client}: ${Math.round(result.tookMs / 1000)} s`, result.findings);
  return result;
}

installPeers();
const waiting = [...runs];
const results = [];
const work = async () => {
  for (let next = waiting.shift(); next; next = waiting.shift()) results.push(await run(next));
};
await Promise.all(Array.from({ length: AT_ONCE }, work));
results.sort((a, b) => order(a) - order(b));

const file = new URL('fleet.md', DOCS);
const cpuS = Math.round(results.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1000);
const head = `${machine().replace('; medians', '')}; ${cpuS} s of CPU time for all runs together.`;
const page = readFileSync(file, 'utf8');
const table = `\n${tableOf(results)}\n\n${head}\n`;
writeFileSync(
  file,
  page.replace(/(?<=<!-- fleet -->\n).*?(?=\n<!-- \/fleet -->)/s, () => table),
);
writeFileSync(new URL('fleet.svg', DOCS), await plotFleets(results));
const broken = results
  .filter(({ client }) => client === 'logferry')
  .flatMap(({ fleet, findings }) => findings.broken.map((text) => `${fleet}: ${text}`));
for (const text of broken) console.error(text);
if (broken.length > 0) process.exitCode = 1;

function order({ fleet, client }) {
  const fleets = ['ample', 'scarce', 'large', 'hanging'];
  return fleets.indexOf(fleet) * 3 + ['logferry', 'drops', 'keeps'].indexOf(client);
}
