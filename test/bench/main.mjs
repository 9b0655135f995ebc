// `npm run bench [-- SCENARIO…] [--records N] [--rounds N] [--quick] [--profile]`: runs ours, the peers and the floor in turns.
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { contenders } from './contenders.mjs';
import { plotBursts } from './plot.mjs';
import { tableOf } from './report.mjs';
import { scenarios } from './scenarios.mjs';
import { installPeers, machine, startServer } from './setup.mjs';
import { summaryOf } from './summary.mjs';

/** Fewer rounds are not enough for the documentation. */
const WHOLE_ROUNDS = 5;

const HELP = `Measures Logferry against other transports, each measurement in a fresh process, against one local server.

Usage: npm run bench -- [scenario…] [options]

Scenarios; all of them when none is named:
${scenarios.map(({ name, title }) => `  ${name.padEnd(24)}${title}`).join('\n')}

Options:
  --records <n> only the bursts of this number of records
  --rounds <n>  rounds of each scenario; default: 5
  --quick       one round, a twentieth of the records
  --profile     writes a .cpuprofile of every process to test/bench/results
  --render      measures nothing: writes tables, plot and page from the last results

A whole run, of all scenarios with at least ${WHOLE_ROUNDS} rounds, also writes the figures and the plot of docs/measured.md.
  --help        show this text
`;

/** A measurement that takes longer counts as failed. */
const TIME_LIMIT_MS = 180_000;
const QUICK_PART = 1 / 20;

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const RESULTS = here('results/');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    records: { type: 'string' },
    rounds: { type: 'string', default: '5' },
    quick: { type: 'boolean' },
    profile: { type: 'boolean' },
    render: { type: 'boolean' },
    help: { type: 'boolean' },
  },
});
if (values.help) console.log(HELP);
else await main();

async function main() {
  const unknown = positionals.find((name) => !scenarios.some((scenario) => scenario.name === name));
  if (unknown) throw new Error(`There is no scenario "${unknown}".\n\n${HELP}`);
  const chosen = positionals.length > 0 ? scenarios.filter(({ name }) => positionals.includes(name)) : scenarios;
  installPeers();
  mkdirSync(RESULTS, { recursive: true });
  const measured = values.render ? chosen.map(lastResultsOf) : await measureAll(chosen);
  // The documentation has results of whole runs only.
  const whole = isWhole(measured);
  const folder = whole ? here('./') : RESULTS;
  const tables = measured.map(({ scenario, runs }) => tableOf(scenario, runs));
  writeFileSync(`${folder}RESULTS.md`, `# Benchmark\n\n${machine()}\n\n${tables.join('\n')}`);
  const plotted = measured.filter(({ scenario }) => scenario.plotted);
  const plot = `${whole ? here('../../docs/') : RESULTS}bursts.svg`;
  if (plotted.length > 0) writeFileSync(plot, await plotBursts(plotted));
  if (whole) writePage(summaryOf(measured));
  console.log(`Written to ${folder}`);
}

async function measureAll(chosen) {
  const server = await startServer();
  const measured = [];
  for (const each of chosen) {
    const scenario = { ...each, loads: loadsOf(each) };
    if (scenario.loads.length === 0) continue;
    const runs = await runScenario(scenario, server);
    measured.push({ scenario, runs });
    writeFileSync(resultsFile(scenario), JSON.stringify(runs, null, 1));
    console.log(tableOf(scenario, runs));
  }
  server.close();
  return measured;
}

function resultsFile({ name }) {
  return `${RESULTS}${name}.json`;
}

function lastResultsOf(scenario) {
  const runs = JSON.parse(readFileSync(resultsFile(scenario), 'utf8'));
  const loads = scenario.loads.filter(({ records }) => runs.some(({ load }) => load.records === records));
  return { scenario: { ...scenario, loads }, runs };
}

function isWhole(measured) {
  return scenarios.every(({ name, loads, rows }) => {
    const { runs = [] } = measured.find(({ scenario }) => scenario.name === name) ?? {};
    return loads.every(({ records }) =>
      rows.every(({ label }) => {
        const rounds = runs.filter((run) => run.load.records === records && run.label === label);
        return rounds.length >= WHOLE_ROUNDS;
      }),
    );
  });
}

/** Replaces the figures between the marks of the page. */
function writePage(summary) {
  const file = here('../../docs/measured.md');
  const text = readFileSync(file, 'utf8');
  writeFileSync(file, text.replace(/(?<=<!-- bench -->\n).*(?=<!-- \/bench -->)/s, `\n${summary}\n\n`));
}

function loadsOf({ loads }) {
  const chosen = values.records ? loads.filter(({ records }) => records === Number(values.records)) : loads;
  return values.quick ? chosen.map((load) => ({ ...load, records: Math.ceil(load.records * QUICK_PART) })) : chosen;
}

/**
 * Contenders take turns, so that a busy minute of the machine affects all of them. Every second round runs in reverse
 * order, since each run affects the server for the next.
 */
async function runScenario(scenario, server) {
  const runs = [];
  const rounds = values.quick ? 1 : Number(values.rounds);
  for (let round = 1; round <= rounds; round++) {
    for (const load of scenario.loads) {
      for (const row of round % 2 === 1 ? scenario.rows : scenario.rows.toReversed()) {
        console.error(`${scenario.name}, round ${round} of ${rounds}, ${load.records} records: ${row.label}`);
        runs.push({ label: row.label, load, round, ...(await measure(scenario, load, row, server)) });
      }
    }
  }
  return runs;
}

async function measure(scenario, load, { contender, options = {}, writes }, server) {
  const { cloud = 'cloudwatch', latencyMs, isColdStart, isWarm, recordKind = 'order' } = scenario;
  const kind = contenders[contender].server ?? cloud;
  const service = await server.ask('start', { kind, delayMs: latencyMs });
  try {
    const job = { contender, options, writes, service, load, recordKind, isColdStart, isWarm };
    const run = await runChild(job);
    const counts = await server.ask('stop', { records: load.records });
    // A framework alone sends nothing. Its costs are for all records that it logged.
    return { ...run, ...counts, ...(contender.endsWith(' alone') && { delivered: load.records }) };
  } catch (error) {
    await server.ask('stop', { records: load.records });
    return { failure: error.message };
  }
}

async function runChild(job) {
  const profile = values.profile ? ['--cpu-prof', `--cpu-prof-dir=${RESULTS}`] : [];
  const child = fork(here('child.mjs'), {
    execArgv: profile,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    env: {
      ...process.env,
      ...job.service.env,
      NODE_NO_WARNINGS: '1',
      AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1',
    },
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), TIME_LIMIT_MS);
  let result;
  let lastWords = '';
  child.on('message', (message) => {
    result = message;
  });
  child.stderr.on('data', (chunk) => {
    lastWords = (lastWords + chunk).slice(-500);
  });
  child.send(job);
  const [code, signal] = await once(child, 'close');
  clearTimeout(timer);
  if (result === undefined) throw new Error(`ended with ${signal ?? code}: ${lastWords.trim()}`);
  return result;
}
