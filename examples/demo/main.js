// Starts a local CloudWatch Logs and a local Log Service, and runs the examples against them or sends them the lines of
// a file. Checks that the counters of every transport balance, and that every delivered record is stored.
import { once } from 'node:events';
import { createReadStream, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { assertBalanced } from '@logferry/core';
import { startClouds } from './clouds.js';
import { runExample, runWebServer } from './run.js';
import { formatTable } from './table.js';

const WEB_REQUESTS = 300;

/** Each of the small examples logs 200 records, a warning and an error. */
const EXAMPLE_RECORDS = 202;

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

// npm runs this in the root of the repository, but a path is relative to the user's working directory.
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { page: { type: 'boolean', default: false } },
});
const file = positionals[0] && resolve(process.env.INIT_CWD ?? '', positionals[0]);
if (file !== undefined && !statSync(file, { throwIfNoEntry: false })?.isFile()) {
  console.error(`no such file: ${file}`);
  process.exit(1);
}

const clouds = await startClouds(values);
for (const { title, url } of Object.values(clouds.services)) console.log(`a local ${title} listens on ${url}`);
if (clouds.url) console.log(`the page is at ${clouds.url}: watch the records arrive`);
console.log('');
try {
  const shipments = file === undefined ? await shipExamples() : await shipFile(file);
  progress('');
  console.log(formatTable(shipments.map(toRow)));
  for (const { title, readBack } of Object.values(clouds.services)) {
    console.log(`\nread back from ${title}:`);
    for (const line of await readBack()) console.log(`  ${line}`);
  }
  const faults = [...shipments.flatMap(findFaults), ...clouds.violations()];
  for (const fault of faults) console.error(fault);
  console.log(faults.length === 0 ? '\nevery ledger adds up, nothing is missing' : '\nsomething is missing, see above');
  process.exitCode = faults.length === 0 ? 0 : 1;
  if (values.page) {
    console.log(`\nthe page stays open at ${clouds.url}; Ctrl-C ends it`);
    await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
  } else console.log('npm run demo -- --page does the same with a page that shows it, and keeps that open');
} finally {
  await clouds.close();
}

async function shipExamples() {
  const shipments = [];
  for (const [framework, cloud, example, script, stream = framework] of [
    ['winston', 'cloudwatch', 'winston-existing-config', 'index.js'],
    ['pino', 'cloudwatch', 'pino-pipeline', 'index.js'],
    ['bunyan', 'cloudwatch', 'bunyan-stream', 'index.js'],
    ['winston', 'cloudwatch', 'tenants', 'index.js', 'tenants'],
    ['winston', 'cloudwatch', 'lambda', 'index.js', 'lambda'],
    ['winston', 'log-service', 'log-service', 'winston.js'],
    ['pino', 'log-service', 'log-service', 'pino.js'],
    ['bunyan', 'log-service', 'log-service', 'bunyan.js'],
    ['winston', 'log-service', 'log-service', 'signed.js', 'signed'],
  ]) {
    progress(`running examples/${example}/${script}`);
    const stats = await runExample([script], folderOf(example), clouds.env);
    shipments.push({ framework, cloud, from: `${example}/${script}`, stream, stats, expected: EXAMPLE_RECORDS });
  }
  const stats = await runWebServer(folderOf('web-server'), clouds.env, WEB_REQUESTS, (done) => {
    progress(`running examples/web-server: ${done} of ${WEB_REQUESTS} requests sent`);
  });
  // One line when the server listens, two lines per request, and a warning for every tenth request.
  const expected = 1 + 2 * WEB_REQUESTS + WEB_REQUESTS / 10;
  const server = { framework: 'fastify + pino', cloud: 'cloudwatch', from: 'web-server', stream: 'web-server' };
  return [...shipments, { ...server, stats, expected }, ...(await crashAndRecover())];
}

/** Two processes: the first is killed before it delivers anything, the second delivers the records of both. */
async function crashAndRecover() {
  progress('running examples/crash-and-recover');
  const { killed, restarted } = await runExample(['index.js'], folderOf('crash-and-recover'), clouds.env);
  const shop = { framework: 'winston', cloud: 'cloudwatch', stream: 'crash-and-recover', expected: EXAMPLE_RECORDS };
  return [
    { ...shop, from: 'crash-and-recover: killed', stats: killed, isKilled: true },
    { ...shop, from: 'crash-and-recover: again', stats: restarted, recovered: EXAMPLE_RECORDS },
  ];
}

async function shipFile(path) {
  const expected = await countLines(path);
  const shipments = [];
  for (const cloud of Object.keys(clouds.services)) {
    for (const framework of ['winston', 'pino', 'bunyan']) {
      progress(`sending ${path} through ${framework} to ${clouds.services[cloud].title}`);
      const stats = await runExample(['ship-file.js', framework, cloud, path], folderOf('demo'), clouds.env);
      shipments.push({ framework, cloud, from: path, stream: framework, stats, expected });
    }
  }
  return shipments;
}

async function countLines(path) {
  let lines = 0;
  for await (const _ of createInterface({ input: createReadStream(path) })) lines++;
  return lines;
}

function folderOf(example) {
  return fileURLToPath(new URL(`../${example}`, import.meta.url));
}

function toRow({ framework, cloud, from, stats }) {
  const { received, recovered, delivered, dropped, rejected, spooled, pending, requests, wireBytes } = stats;
  const lost = rejected + Object.values(dropped).reduce((sum, count) => sum + count, 0);
  const target = clouds.services[cloud].title;
  const left = spooled + pending;
  return { framework, target, from, received, recovered, delivered, dropped: lost, left, requests, bytes: wireBytes };
}

/** The differences between the expected, counted and stored records of one shipment. */
function findFaults({ framework, cloud, stream, stats, expected, recovered = 0, isKilled = false }) {
  const name = `${framework} to ${clouds.services[cloud].title}`;
  const stored = clouds.services[cloud].countStored(stream);
  const faults = [];
  try {
    assertBalanced(stats);
  } catch (error) {
    faults.push(`${name}: ${error.message}`);
  }
  if (stats.received !== expected) faults.push(`${name}: ${stats.received} records received, ${expected} expected`);
  if (stats.recovered !== recovered) faults.push(`${name}: ${stats.recovered} records recovered, not ${recovered}`);
  const total = stats.received + stats.recovered;
  // The next process delivers the records of a killed one.
  const { [isKilled ? 'pending' : 'delivered']: count } = stats;
  if (count !== total) faults.push(`${name}: ${count} of ${total} records ${isKilled ? 'on disk' : 'delivered'}`);
  if (!isKilled && stored !== stats.delivered)
    faults.push(`${name}: ${stored} records stored, ${stats.delivered} delivered`);
  return faults;
}

/** Shows progress: on a terminal in one line that is overwritten, elsewhere in a new line each time. */
function progress(text) {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text}`);
  else if (text !== '') console.log(text);
}
