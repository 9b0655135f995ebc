// `npm run bench:moving [-- --rounds N]`: what each transport that people move from delivers of 1,000 records, beside ours, to the local
// CloudWatch Logs. Writes the tables of the pages on moving.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { startCloudWatch } from '@logferry/emulators';
import { installPeers } from './setup.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const RECORDS = 1000;
/** A process that goes on longer after its last record does not end by itself. */
const TIME_LIMIT_MS = 20_000;
const BURSTS_MS = 12_000;
/** From the start of the process. */
const [FAULTS_FROM_MS, FAULTS_TO_MS] = [3000, 8000];

/** By the name in the marks of the pages: theirs, and ours in its place. */
const pairs = {
  'winston-cloudwatch': ['winston + winston-cloudwatch', 'winston + logferry'],
  'winston-aws-cloudwatch': ['winston + winston-aws-cloudwatch', 'winston + logferry'],
  '@serdnam/pino-cloudwatch-transport': ['pino + @serdnam/pino-cloudwatch-transport', 'pino + logferry'],
  'pino-cloudwatch': ['pino-cloudwatch', 'logferry'],
  'bunyan-cloudwatch': ['bunyan + bunyan-cloudwatch', 'bunyan + logferry'],
};

/** Commands that read what pino writes to stdout. */
const commands = {
  'pino-cloudwatch': [
    ...[
      '--require',
      here('peers/local-endpoint.cjs'),
      here('peers/node_modules/pino-cloudwatch/bin/pino-cloudwatch.js'),
    ],
    ...['--group', 'bench', '--aws_region', 'us-east-1'],
  ],
  logferry: [here('../../packages/cli/bin/logferry.js'), 'cloudwatch', '--log-group-name', 'bench'],
};

const cases = [
  { title: '1,000 records at once, then nothing more to do', ending: 'natural' },
  { title: 'the same, ended as documented', ending: 'end' },
  { title: 'the same, then `process.exit()`', ending: 'exit' },
  { title: '100 records each 1.2 s', ending: 'bursts' },
  { title: 'the same; the service fails for 5 s (HTTP 503)', ending: 'bursts', faults: { serverError: 1 } },
  { title: 'the same; the service throttles for 5 s', ending: 'bursts', faults: { throttle: 1 } },
  { title: 'the same; connections break for 5 s', ending: 'bursts', faults: { down: true } },
  { title: 'the same; the service refuses one record', ending: 'bursts', poison: 'record 500 ' },
];

const { rounds } = parseArgs({ options: { rounds: { type: 'string', default: '3' } } }).values;
installPeers();
const measured = new Map();
/** The processes are idle most of the time, and so run side by side. */
const tables = Object.fromEntries(
  await Promise.all(Object.entries(pairs).map(async ([name, contenders]) => [name, await tableOf(name, contenders)])),
);

const pages = new URL('../../docs/moving/', import.meta.url);
for (const page of readdirSync(pages)) {
  const text = readFileSync(new URL(page, pages), 'utf8');
  const withTables = text.replace(
    /(<!-- moved (\S+) -->\n)[\s\S]*?(<!-- \/moved -->)/g,
    (_, begin, name, end) => `${begin}\n${tables[name]?.join('\n')}\n\n${end}`,
  );
  writeFileSync(new URL(page, pages), withTables);
}

async function tableOf(name, contenders) {
  const rows = [`| | ${name} | Logferry |`, '| --- | --- | --- |'];
  for (const each of cases) {
    const cells = [];
    for (const contender of contenders) {
      const key = `${contender}: ${each.title}`;
      if (!measured.has(key)) measured.set(key, worstOf(Number(rounds), contender, each));
      cells.push(await measured.get(key));
      console.log(`${key}: ${cells.at(-1)}`);
    }
    rows.push(`| ${each.title} | ${cells.join(' | ')} |`);
  }
  return rows;
}

async function worstOf(count, contender, options) {
  const results = [];
  for (let round = 0; round < count; round++) results.push(await measure(contender, options));
  return results.sort((a, b) => a.delivered - b.delivered)[0].cell;
}

async function measure(contender, { ending, faults, poison }) {
  const server = await startCloudWatch();
  if (poison) server.faults({ poison: (message) => message.includes(poison) });
  const timers = faults
    ? [setTimeout(() => server.faults(faults), FAULTS_FROM_MS), setTimeout(() => server.faults(), FAULTS_TO_MS)]
    : [];
  const env = { ...process.env, ...server.env, AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1' };
  const child = [
    here('moving-child.mjs'),
    contender in commands ? 'stdout' : contender,
    ending,
    String(RECORDS),
    server.url,
  ];
  const logger = spawn(process.execPath, child, { env, stdio: ['ignore', 'pipe', 'ignore'] });
  const reader = contender in commands && execFile(process.execPath, commands[contender], { env });
  if (reader) logger.stdout.pipe(reader.stdin.on('error', () => {}));
  else logger.stdout.resume();
  const last = reader || logger;
  const limit = delay((ending === 'bursts' ? BURSTS_MS : 0) + TIME_LIMIT_MS, 'runs on', { ref: false });
  const end = await Promise.race([once(last, 'exit'), limit]);
  for (const process of [logger, last]) process.kill('SIGKILL');
  timers.forEach(clearTimeout);
  const numbers = server.events().map(({ message }) => /record (\d+) /.exec(message)?.[1]);
  await server.close();
  const delivered = new Set(numbers.filter((number) => number !== undefined)).size;
  const [code, signal] = end === 'runs on' ? [] : end;
  const fate = end === 'runs on' ? ', runs on' : code === 0 ? '' : `, exit code ${code ?? signal}`;
  return { delivered, cell: `${delivered.toLocaleString('en-US')}${fate}` };
}
