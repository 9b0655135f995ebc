// `npm run bench:install [-- --rounds N]`: what a transport adds to an application, in megabytes and in the time of its start. Each
// contender is installed in a folder of its own, and imported in a fresh process in turns with the others.
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs, promisify } from 'node:util';
import { median } from './report.mjs';
import { machine } from './setup.mjs';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const { dependencies: pinned } = JSON.parse(readFileSync(here('peers/package.json'), 'utf8'));

/** Fewer rounds are not enough for the published report. */
const WHOLE_ROUNDS = 20;

const SDK = '@aws-sdk/client-cloudwatch-logs';
/** Ours loads the SDK by `require` at the first delivery, others at their own import: the last column has it for all. */
const toCloudWatch = (host) => ({
  label: `@logferry/${host}, to CloudWatch`,
  host,
  packages: [`@logferry/${host}`, SDK],
  entry: `@logferry/${host}/cloudwatch`,
  later: SDK,
});
const toLogService = (host) => ({
  label: `@logferry/${host}, to Log Service`,
  host,
  packages: [`@logferry/${host}`],
  entry: `@logferry/${host}/log-service`,
});
const peer = (host, name) => ({ label: name, host, packages: [name], entry: name });

const rows = [
  toCloudWatch('winston'),
  toLogService('winston'),
  peer('winston', 'winston-cloudwatch'),
  toCloudWatch('pino'),
  toLogService('pino'),
  peer('pino', '@serdnam/pino-cloudwatch-transport'),
  peer('pino', 'pino-cloudwatch'),
  toCloudWatch('bunyan'),
  toLogService('bunyan'),
  peer('bunyan', 'bunyan-cloudwatch'),
  { label: `${SDK} alone`, packages: [SDK], entry: SDK },
];

const { values } = parseArgs({ options: { rounds: { type: 'string', default: String(WHOLE_ROUNDS) } } });
const rounds = Number(values.rounds);
const root = mkdtempSync(join(tmpdir(), 'logferry-bench-install-'));
try {
  const table = await measure();
  const report = `${machine()} of ${rounds} rounds\n\n${table}\n`;
  console.log(report);
  if (rounds >= WHOLE_ROUNDS) writeReports(report, table);
} finally {
  rmSync(root, { recursive: true, force: true });
}

async function measure() {
  const tarballs = pack();
  const install = (packages) => installIn(mkdtempSync(join(root, 'folder-')), packages, tarballs);
  const hosts = Object.fromEntries(['winston', 'pino', 'bunyan'].map((host) => [host, sizeOf(install([host]))]));
  const measured = rows.map((row) => {
    const folder = install([...(row.host ? [row.host] : []), ...row.packages]);
    const [size, base] = [sizeOf(folder), hosts[row.host] ?? { packages: 0, bytes: 0 }];
    const added = { packages: size.packages - base.packages, bytes: size.bytes - base.bytes };
    return { row, folder, added, runs: { import: [], require: [], all: [] } };
  });
  for (let round = 1; round <= rounds; round++) {
    console.error(`round ${round} of ${rounds}`);
    for (const { row, folder, runs } of round % 2 === 1 ? measured : measured.toReversed()) {
      runs.import.push(await run(folder, 'module', row));
      runs.require.push(await run(folder, 'commonjs', row));
      runs.all.push(await run(folder, 'module', row, row.later));
    }
  }
  const head = ['', 'packages', 'MB', 'import ms', 'require ms', 'import ms, with what is loaded later'];
  const lines = measured.map(({ row, added, runs }) => [
    row.label,
    added.packages,
    (added.bytes / 1e6).toFixed(1),
    ...[runs.import, runs.require, runs.all].map((each) => Math.round(median(each))),
  ]);
  return [head, ['---', ...head.slice(1).map(() => '--:')], ...lines]
    .map((cells) => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** Paths of the tarballs of our packages, by name. */
function pack() {
  const args = ['pack', '--json', '--pack-destination', root];
  const folders = readdirSync(here('../../packages')).map((name) => `--workspace=packages/${name}`);
  const packed = JSON.parse(
    execFileSync('npm', [...args, ...folders], { cwd: here('../..'), stdio: ['ignore', 'pipe', 'ignore'] }),
  );
  return Object.fromEntries(Object.values(packed).map(({ name, filename }) => [name, join(root, filename)]));
}

function installIn(folder, packages, tarballs) {
  const isOurs = packages.some((name) => tarballs[name]);
  const shared = isOurs ? ['@logferry/core', '@logferry/cloudwatch', '@logferry/log-service'] : [];
  const names = [...packages, ...shared].map((name) => tarballs[name] ?? `${name}@${pinned[name]}`);
  writeFileSync(join(folder, 'package.json'), '{"private":true}');
  const quiet = ['--silent', '--no-audit', '--no-fund', '--prefer-offline', '--ignore-scripts'];
  execFileSync('npm', ['install', ...quiet, ...names], { cwd: folder });
  return folder;
}

function sizeOf(folder) {
  const modules = join(folder, 'node_modules');
  const entries = readdirSync(modules, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const { packages } = JSON.parse(readFileSync(join(modules, '.package-lock.json'), 'utf8'));
  const bytes = entries.reduce((sum, { parentPath, name }) => sum + statSync(join(parentPath, name)).size, 0);
  return { packages: Object.keys(packages).length, bytes };
}

/** CPU time that loading modules takes beside their logger, in milliseconds: other processes of the machine do not change it much. */
async function run(folder, kind, { host, entry }, later) {
  const load = (name) => (kind === 'module' ? `await import('${name}');` : `require('${name}');`);
  const script = `
    ${host ? load(host) : ''}
    const start = process.cpuUsage();
    ${load(entry)}
    ${later ? `process.getBuiltinModule('module').createRequire(process.cwd() + '/')('${later}');` : ''}
    const { user, system } = process.cpuUsage(start);
    console.log((user + system) / 1000);
    process.exit();`;
  const env = { ...process.env, NODE_NO_WARNINGS: '1', AWS_SDK_JS_SUPPRESS_MAINTENANCE_MODE_MESSAGE: '1' };
  const args = [`--input-type=${kind}`, '--eval', script];
  const { stdout } = await promisify(execFile)('node', args, { cwd: folder, env });
  return Number(stdout.trim().split('\n').at(-1));
}

function writeReports(report, table) {
  writeFileSync(here('INSTALL.md'), `# Install and import\n\n${report}`);
  const page = here('../../docs/measured.md');
  const text = readFileSync(page, 'utf8');
  writeFileSync(page, text.replace(/(?<=<!-- bench:install -->\n).*(?=<!-- \/bench:install -->)/s, `\n${table}\n\n`));
}
