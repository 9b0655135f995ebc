// `npm run bench:command [-- --rounds N] [--quick] [--profile]`: runs the command, the commands of peers and the floor in turns.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { writeInputs } from './command-inputs.mjs';
import { tableOf } from './report.mjs';
import { installPeers, machine, startServer } from './setup.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const RESULTS = here('results/');

const INPUT_BYTES = 100e6;
const QUICK_PART = 1 / 20;
/** A command that takes longer is ended. */
const TIME_LIMIT_MS = 150_000;
/** Fewer rounds are not enough for the published report. */
const WHOLE_ROUNDS = 5;

/** The core of the measured process. The server and the process that writes the input have the other. */
const [COMMAND_CORE, OTHER_CORE] = ['0', '1'];

const COLUMNS = ['rate', 'cpu', 'rss', 'requests', 'wire', 'server', 'lost'];

const logferry = [here('../../packages/cli/bin/logferry.js')];
const toCloudWatch = ['cloudwatch', '--log-group-name', 'bench'];
const toLogService = ({ target }) => [
  'log-service',
  ...Object.entries(target).flatMap(([name, value]) => [`--${name}`, value]),
];
const peer = (path) => here(`peers/node_modules/${path}`);

const ours = [
  { label: 'logferry cloudwatch', server: 'cloudwatch', args: () => [...logferry, ...toCloudWatch] },
  {
    label: 'logferry ship cloudwatch',
    server: 'cloudwatch',
    takesFile: true,
    args: (_service, file) => [...logferry, 'ship', ...toCloudWatch, file],
  },
  { label: 'logferry log-service', server: 'log-service', args: (service) => [...logferry, ...toLogService(service)] },
];
/** It takes as long as all others together. */
const pinoCloudWatch = {
  label: 'pino-cloudwatch 0.7.0, one round',
  isMeasuredOnce: true,
  server: 'cloudwatch',
  args: () => [
    '--require',
    here('peers/local-endpoint.cjs'),
    peer('pino-cloudwatch/bin/pino-cloudwatch.js'),
    '--group',
    'bench',
  ],
};
const pinoLoki = (label, flags = []) => ({
  label,
  server: 'loki',
  args: ({ url }) => [peer('pino-loki/dist/cli.mjs'), '--hostname', url, ...flags],
});
/** Sends nothing: its lines are those it read. */
const floor = { label: 'floor: node:readline', args: () => [here('command-floor.mjs')] };

const scenarios = [
  {
    name: 'text',
    title: '100 MB of text, lines of 100 bytes with time and level',
    rows: [...ours, pinoCloudWatch, floor],
    versus: pinoCloudWatch.label,
  },
  {
    name: 'ndjson',
    title: '100 MB of pino, lines of 230 bytes',
    rows: [
      ...ours,
      pinoCloudWatch,
      pinoLoki('pino-loki 3.0.0'),
      pinoLoki('pino-loki 3.0.0, buffer without limit', ['--batching-max-buffer-size', '0']),
      floor,
    ],
    versus: pinoCloudWatch.label,
  },
];

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: String(WHOLE_ROUNDS) },
    quick: { type: 'boolean' },
    profile: { type: 'boolean' },
  },
});
const rounds = values.quick ? 1 : Number(values.rounds);
await main();

async function main() {
  installPeers();
  mkdirSync(RESULTS, { recursive: true });
  const directory = mkdtempSync(join(tmpdir(), 'logferry-bench-'));
  const loadAverage = loadavg()[0].toFixed(1);
  const server = await startServer();
  try {
    pin(server.pid);
    const inputs = writeInputs(directory, values.quick ? INPUT_BYTES * QUICK_PART : INPUT_BYTES);
    const measured = await measureAll(inputs, server, directory);
    const tables = scenarios.map((scenario, index) => {
      const loads = [{ records: inputs[scenario.name].lines }];
      return tableOf({ ...scenario, loads, columns: COLUMNS }, measured[index]);
    });
    const report = `# Benchmark of the command\n\n${machine()}; each command on one core; load average of the machine at the start: ${loadAverage}\n\n${tables.join('\n')}`;
    writeFileSync(`${rounds < WHOLE_ROUNDS ? RESULTS : here('./')}COMMAND.md`, report);
    console.log(report);
  } finally {
    server.close();
    rmSync(directory, { recursive: true });
  }
}

/** The runs of each scenario. */
async function measureAll(inputs, server, directory) {
  const measured = scenarios.map(() => []);
  for (let round = 1; round <= rounds; round++) {
    for (const [index, { name, rows }] of scenarios.entries()) {
      const due = rows.filter(({ isMeasuredOnce }) => !isMeasuredOnce || round === 1);
      // Every second round runs in reverse order, since each run affects the server for the next.
      for (const row of round % 2 === 1 ? due : due.toReversed()) {
        console.error(`${name}, round ${round} of ${rounds}: ${row.label}`);
        measured[index].push(await measure(row, inputs[name], server, directory));
      }
    }
  }
  return measured;
}

function pin(pid) {
  execFileSync('taskset', ['--all-tasks', '--cpu-list', '--pid', OTHER_CORE, String(pid)], { stdio: 'ignore' });
}

async function measure({ label, server: kind, args, takesFile }, { path, lines }, server, directory) {
  const service = kind ? await server.ask('start', { kind }) : {};
  const result = await run(args(service, path), takesFile ? undefined : path, service.env, join(directory, 'report'));
  const counts = kind ? await server.ask('stop', { records: lines }) : { delivered: lines, requests: 0, wireBytes: 0 };
  return { label, load: { records: lines }, ...result, ...counts };
}

/** Runs a command of Node.js to its end, with a file at the other end of a pipe. */
async function run(args, input, env, reportPath) {
  const profile = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${RESULTS}`] : [];
  const source =
    input && spawn('taskset', ['--cpu-list', OTHER_CORE, 'cat', input], { stdio: ['ignore', 'pipe', 'ignore'] });
  const startedAt = Date.now();
  const preload = ['--import', here('command-report.mjs')];
  const child = spawn('taskset', ['--cpu-list', COMMAND_CORE, process.execPath, ...preload, ...profile, ...args], {
    stdio: [source?.stdout ?? 'ignore', 'ignore', 'pipe'],
    env: { ...process.env, ...env, BENCH_REPORT: reportPath, AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1' },
  });
  let lastWords = '';
  child.stderr.on('data', (chunk) => {
    lastWords = (lastWords + chunk).slice(-2000);
  });
  let isLate = false;
  const timer = setTimeout(() => {
    isLate = true;
    child.kill('SIGKILL');
  }, TIME_LIMIT_MS);
  const [code] = await once(child, 'close');
  clearTimeout(timer);
  source?.kill();
  const endedAt = Date.now();
  if (isLate) return { startedAt, endedAt, endError: `it was ended after ${TIME_LIMIT_MS / 1000} s` };
  const endError = code === 0 ? undefined : `code ${code}: ${firstError(lastWords)}`;
  return { startedAt, endedAt, endError, ...JSON.parse(readFileSync(reportPath, 'utf8')) };
}

function firstError(text) {
  return (/^.*Error.*$/m.exec(text)?.[0] ?? text).trim().slice(0, 200);
}
