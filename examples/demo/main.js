// Starts a local CloudWatch, runs the examples against it (or ships the lines of a file), and checks that nothing is
// missing: every ledger adds up, and the service stored exactly what the transports say they delivered.
import { createReadStream, existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { assertBalanced } from '@logferry/core';
import { startCloudWatch } from '@logferry/emulators';
import { runExample, runWebServer } from './run.js';
import { formatTable } from './table.js';

const WEB_REQUESTS = 300;

/** Each of the three small examples logs 200 records, a warning and an error. */
const EXAMPLE_RECORDS = 202;

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

// npm changes to the root of the repository; a path is meant from where the user was.
const file = process.argv[2] && resolve(process.env.INIT_CWD ?? '', process.argv[2]);
if (file !== undefined && !existsSync(file)) {
  console.error(`no such file: ${file}`);
  process.exit(1);
}

const emulator = await startCloudWatch();
console.log(`a local CloudWatch Logs listens on ${emulator.url}\n`);
try {
  const shipments = file === undefined ? await shipExamples() : await shipFile(file);
  progress('');
  console.log(formatTable(shipments.map(toRow)));
  await readBack();
  const faults = shipments.flatMap(findFaults);
  for (const violation of emulator.stats().violations) faults.push(`the service refused: ${JSON.stringify(violation)}`);
  for (const fault of faults) console.error(fault);
  console.log(faults.length === 0 ? '\nevery ledger adds up, nothing is missing' : '\nsomething is missing, see above');
  process.exitCode = faults.length === 0 ? 0 : 1;
} finally {
  await emulator.close();
}

async function shipExamples() {
  const shipments = [];
  for (const [framework, example] of [
    ['winston', 'winston-existing-config'],
    ['pino', 'pino-pipeline'],
    ['bunyan', 'bunyan-stream'],
  ]) {
    progress(`running examples/${example}`);
    const folder = fileURLToPath(new URL(`../${example}`, import.meta.url));
    const stats = await runExample(['index.js'], folder, emulator.env);
    shipments.push({ framework, example, stats, expected: EXAMPLE_RECORDS });
  }
  const folder = fileURLToPath(new URL('../web-server', import.meta.url));
  const stats = await runWebServer(folder, emulator.env, WEB_REQUESTS, (done) => {
    progress(`running examples/web-server: ${done} of ${WEB_REQUESTS} requests sent`);
  });
  // One line when it listens, two for each request, a warning for every tenth.
  const expected = 1 + 2 * WEB_REQUESTS + WEB_REQUESTS / 10;
  return [...shipments, { framework: 'fastify + pino', example: 'web-server', stats, expected }];
}

async function shipFile(path) {
  const folder = fileURLToPath(new URL('.', import.meta.url));
  const expected = await countLines(path);
  const shipments = [];
  for (const framework of ['winston', 'pino', 'bunyan']) {
    progress(`shipping ${path} through ${framework}`);
    const stats = await runExample(['ship-file.js', framework, path], folder, emulator.env);
    shipments.push({ framework, example: path, stats, expected });
  }
  return shipments;
}

async function countLines(path) {
  let lines = 0;
  for await (const _ of createInterface({ input: createReadStream(path) })) lines++;
  return lines;
}

function toRow({ framework, example, stats }) {
  const { received, delivered, dropped, rejected, requests, wireBytes } = stats;
  const lost = rejected + Object.values(dropped).reduce((sum, count) => sum + count, 0);
  return {
    framework,
    target: 'CloudWatch Logs',
    from: example,
    received,
    delivered,
    dropped: lost,
    requests,
    bytes: wireBytes,
  };
}

/** What does not add up about one shipment. */
function findFaults({ framework, example, stats, expected }) {
  const stored = emulator.events().filter((event) => event.logStreamName.startsWith(streamPrefix(framework))).length;
  const faults = [];
  try {
    assertBalanced(stats);
  } catch (error) {
    faults.push(`${example}: ${error.message}`);
  }
  if (stats.received !== expected) faults.push(`${example}: ${stats.received} records received, ${expected} expected`);
  if (stats.delivered !== stats.received)
    faults.push(`${example}: ${stats.delivered} of ${stats.received} records delivered`);
  if (stored !== stats.delivered) faults.push(`${example}: ${stored} records stored, ${stats.delivered} delivered`);
  return faults;
}

function streamPrefix(framework) {
  return framework === 'fastify + pino' ? 'web-server/' : `${framework}/`;
}

/** Reads a few records as anybody would, with the AWS SDK. */
async function readBack() {
  const { AWS_REGION, AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY } = emulator.env;
  const credentials = { accessKeyId: AWS_ACCESS_KEY_ID, secretAccessKey: AWS_SECRET_ACCESS_KEY };
  const client = new CloudWatchLogsClient({ endpoint: emulator.url, region: AWS_REGION, credentials });
  console.log('\nread back with the AWS SDK:');
  for (const prefix of new Set(emulator.events().map((event) => `${event.logStreamName.split('/')[0]}/`))) {
    const query = { logGroupName: 'logferry-examples', logStreamNamePrefix: prefix, limit: 2 };
    const { events = [] } = await client.send(new FilterLogEventsCommand(query));
    for (const { timestamp = 0, logStreamName, message = '' } of events) {
      const line = message.length > 100 ? `${message.slice(0, 100)}…` : message;
      console.log(`  ${new Date(timestamp).toISOString()}  ${logStreamName}\n    ${line}`);
    }
  }
  client.destroy();
}

/** What is going on: one line that replaces itself on a terminal, a line each elsewhere. */
function progress(text) {
  if (process.stdout.isTTY) process.stdout.write(`\r\x1b[K${text}`);
  else if (text !== '') console.log(text);
}
