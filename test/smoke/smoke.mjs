// A short test of the current Node.js: every entry point loads in both ways, a record of each framework and of the command reaches
// each cloud, to each cloud a thread delivers at `process.exit()`, and what is left on disk is delivered.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { logServiceStream } from '@logferry/bunyan/log-service';
import { assertBalanced } from '@logferry/core';
import { startCloudWatch, startLogService } from '@logferry/emulators';
import { stats } from '@logferry/pino';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import bunyan from 'bunyan';
import pino from 'pino';
import winston from 'winston';

process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED = 'true';

/** What runs now. */
let step = 'the entry points';
// Without it, a hang would say nothing.
setTimeout(() => {
  console.error(`${step} hangs; open are ${process.getActiveResourcesInfo().join(', ')}`);
  process.exit(1);
}, 60_000).unref();

const entryPoints = await loadAll();
const [cloudWatch, logService] = [await startCloudWatch({ strict: true }), await startLogService({ strict: true })];
const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = cloudWatch.env;
const options = {
  cloudwatch: {
    logGroupName: 'smoke',
    endpoint: cloudWatch.url,
    region,
    credentials: { accessKeyId, secretAccessKey },
  },
  'log-service': logService.target,
};

for (const [cloud, target] of Object.entries(options)) {
  step = `the delivery to ${cloud}`;
  await throughWinston({ cloudwatch: CloudWatchTransport, 'log-service': LogServiceTransport }[cloud], target);
  await throughPino(cloud, target);
  await throughBunyan({ cloudwatch: cloudWatchStream, 'log-service': logServiceStream }[cloud], target);
  await throughThread(cloud, target);
  await throughCommand(cloud, target);
}

step = 'the spool';
await throughDisk(options.cloudwatch);

const expected = ['bunyan', 'command', 'pino', 'thread 0', 'winston'];
assert.deepEqual(textsOf(cloudWatch.events().map(({ message }) => JSON.parse(message))), [
  ...expected,
  'written to disk',
]);
assert.deepEqual(textsOf(logService.events().map(({ fields }) => fields)), expected);
assert.deepEqual([...cloudWatch.stats().violations, ...logService.stats().violations], []);
step = 'the end of the emulators';
await cloudWatch.close();
await logService.close();
console.log(
  `Node.js ${process.version}: ${entryPoints} entry points, 6 ways, the command, 2 threads at exit and a spool, all delivered`,
);

/** Loads each entry point by `import` and by `require`, and checks that both have the same names. */
async function loadAll() {
  const require = createRequire(import.meta.url);
  const packages = new URL('../../packages/', import.meta.url);
  let count = 0;
  for (const folder of readdirSync(packages)) {
    const { name, exports } = JSON.parse(readFileSync(new URL(`${folder}/package.json`, packages), 'utf8'));
    for (const [path, conditions] of Object.entries(exports).filter(([each]) => each !== './package.json')) {
      const specifier = name + path.slice(1);
      const module = await import(specifier);
      // The command has ES modules only.
      if (conditions.require) assert.deepEqual(namesOf(module), namesOf(require(specifier)), specifier);
      count++;
    }
  }
  return count;
}

function namesOf(module) {
  return Object.keys(module)
    .filter((name) => name !== '__esModule' && name !== 'module.exports')
    .sort();
}

async function throughWinston(Transport, target) {
  const transport = new Transport(target);
  const logger = winston.createLogger({ transports: [transport] });
  logger.info('winston');
  await transport.flush();
  logger.end();
  await once(logger, 'finish');
  expectOne(transport.stats());
}

async function throughPino(cloud, target) {
  const transport = pino.transport({ target: `@logferry/pino/${cloud}`, options: target });
  const logger = pino(transport);
  logger.info('pino');
  await new Promise((resolve) => logger.flush(resolve));
  expectOne(await stats(transport));
  transport.end();
  await once(transport, 'close');
}

async function throughBunyan(stream, target) {
  const entry = stream(target);
  const logger = bunyan.createLogger({ name: 'smoke', streams: [entry] });
  logger.info('bunyan');
  await entry.stream.flush();
  await entry.stream.close();
  expectOne(entry.stream.stats());
}

async function throughThread(cloud, target) {
  const plan = { framework: 'winston', cloud, options: target, lines: 1, ending: 'process.exit()' };
  const app = fileURLToPath(new URL('../thread/app.mjs', import.meta.url));
  const env = { ...process.env, PLAN: JSON.stringify(plan) };
  const [code] = await once(spawn(process.execPath, [app], { env, stdio: 'ignore' }), 'exit');
  assert.equal(code, 3);
}

async function throughCommand(cloud, target) {
  const bin = fileURLToPath(new URL('../../packages/cli/bin/logferry.js', import.meta.url));
  const { credentials: _keys, ...names } = target;
  const flags = Object.entries(names).flatMap(([name, value]) => [
    `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`,
    value,
  ]);
  const env = { ...process.env, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey };
  const command = spawn(process.execPath, [bin, cloud, '--quiet', ...flags], {
    env,
    stdio: ['pipe', 'ignore', 'inherit'],
  });
  command.stdin.end('{"level":30,"msg":"command"}\n');
  const [code] = await once(command, 'exit');
  assert.equal(code, 0);
}

/** What one transport cannot deliver, the next one finds on disk. */
async function throughDisk(target) {
  const spool = { directory: mkdtempSync(join(tmpdir(), 'logferry-smoke-')) };
  const credentials = () => Promise.reject(new Error('none yet'));
  const first = new CloudWatchTransport({ ...target, spool, credentials, closeTimeoutMs: 100, onError() {} });
  await end(first, 'written to disk');
  assert.equal(first.stats().spooled, 1);
  const second = new CloudWatchTransport({ ...target, spool });
  await end(second);
  assertBalanced(second.stats());
  assert.deepEqual([second.stats().recovered, second.stats().delivered], [1, 1]);
  rmSync(spool.directory, { recursive: true });
}

async function end(transport, text) {
  const logger = winston.createLogger({ transports: [transport] });
  if (text) logger.info(text);
  logger.end();
  await once(logger, 'finish');
}

function expectOne(counters) {
  assertBalanced(counters);
  assert.deepEqual([counters.received, counters.delivered], [1, 1]);
}

function textsOf(records) {
  return records.map(({ message, msg }) => (message ?? msg).replace(/^line/, 'thread')).sort();
}
