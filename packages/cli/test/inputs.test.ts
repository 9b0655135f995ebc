import { createReadStream, readFileSync } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { beforeAll, expect, it } from 'vitest';
import { full } from '../../../forms.js';
import { cloudWatch, flagsOf, logService, type Outcome, start } from './support/command.js';
import { type Generated, generate, npmDebugLog, packageLogs } from './support/inputs.js';

const GENERATED_BYTES = full ? 100e6 : 5e6;
const MAX_RSS_MB = 200;

let logs: readonly string[];
let plain: Generated;
let ndjson: Generated;

beforeAll(async () => {
  logs = [...packageLogs(), await npmDebugLog()];
  plain = generate('plain', GENERATED_BYTES);
  ndjson = generate('ndjson', GENERATED_BYTES);
});

const ways = [
  ['cloudwatch', 'pipe'],
  ['cloudwatch', 'ship'],
  ['log-service', 'pipe'],
  ['log-service', 'ship'],
] as const;

it.each(ways)('delivers each line of the logs of dpkg, apt and npm once: %s, %s', async (cloud, way) => {
  const server = await servers[cloud]();
  const { code, error } = await deliver(way, cloud, server, logs);
  expect({ code, error }).toEqual({ code: 0, error: expect.not.stringContaining(' lost') });
  const expected = logs.flatMap((path) => readFileSync(path, 'utf8').split(/\r?\n/)).filter(isNotBlank);
  expect(expected.length).toBeGreaterThan(100);
  // Lines that belong together are one record.
  const arrived = server
    .records()
    .flatMap((record) => String(record).split('\n'))
    .filter(isNotBlank);
  expect(differences(expected, arrived)).toEqual([]);
});

it.each(ways)('delivers each line of large files once, in flat memory: %s, %s', async (cloud, way) => {
  const server = await servers[cloud]();
  const { code, error } = await deliver(way, cloud, server, [plain.path, ndjson.path]);
  expect(code).toBe(0);
  expect(error).toContain(`${(plain.lines + ndjson.lines).toLocaleString('en-US')} records delivered`);
  const arrived = { plain: new Uint8Array(plain.lines), ndjson: new Uint8Array(ndjson.lines) };
  const wrong: unknown[] = [];
  for (const record of server.records()) {
    const number = numberOf(record);
    const kind = typeof record === 'string' && !record.startsWith('{') ? 'plain' : 'ndjson';
    const line = { plain, ndjson }[kind].lineOf(number);
    if (arrived[kind][number] === 0 && isOfLine(record, line)) arrived[kind][number] = 1;
    else wrong.push(record);
  }
  expect(wrong.slice(0, 3)).toEqual([]);
  expect([arrived.plain.indexOf(0), arrived.ndjson.indexOf(0)]).toEqual([-1, -1]);
  expect(maxRssMb(error)).toBeLessThan(MAX_RSS_MB);
});

/** What arrived of a record: the text, or the fields of a line of JSON. */
type Arrived = string | Readonly<Record<string, string>>;

/** A local server, as these tests see both clouds. */
interface Server {
  readonly flags: readonly string[];
  readonly env: NodeJS.ProcessEnv;
  records(): readonly Arrived[];
}

const servers: { readonly [cloud in (typeof ways)[number][0]]: () => Promise<Server> } = {
  cloudwatch: async () => {
    const server = await cloudWatch();
    const records = (): readonly Arrived[] => server.events().map(({ message }) => message);
    return { flags: ['--group', 'inputs'], env: server.env, records };
  },
  'log-service': async () => {
    const server = await logService();
    const records = (): readonly Arrived[] => server.events().map(({ fields }) => fields.message ?? fields);
    return { flags: flagsOf(server), env: {}, records };
  },
};

function numberOf(record: Arrived): number {
  return Number(typeof record === 'string' ? /(?:#|"number":)(\d+)/.exec(record)?.[1] : record.number);
}

/** Whether this is what arrives of a line. Log Service takes fields as strings, and some are added. */
function isOfLine(record: Arrived, line: string): boolean {
  if (typeof record === 'string') return record === line;
  const { number, req, msg } = JSON.parse(line);
  return record.number === String(number) && record.req === JSON.stringify(req) && record.msg === msg;
}

/** Has the command deliver files: through its stdin, one behind the other, or by their names. */
async function deliver(
  way: (typeof ways)[number][1],
  cloud: string,
  { flags, env }: Server,
  paths: readonly string[],
): Promise<Outcome> {
  const setting = { env: { ...env, NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(TELL_RSS)}` } };
  if (way === 'ship') {
    // Logs of a package manager are older than CloudWatch takes.
    return start(['ship', cloud, ...flags, '--out-of-window', 'now', ...paths], setting).ended;
  }
  const { child, ended } = start([cloud, ...flags], setting);
  await pipeline(contentsOf(paths), child.stdin);
  return ended;
}

async function* contentsOf(paths: readonly string[]): AsyncGenerator<Uint8Array> {
  for (const path of paths) yield* createReadStream(path);
}

const TELL_RSS = 'process.on("exit", () => process._rawDebug("peak RSS: " + process.resourceUsage().maxRSS))';

function maxRssMb(error: string): number {
  return (Number(/^peak RSS: (\d+)$/m.exec(error)?.[1]) * 1024) / 1e6;
}

function isNotBlank(line: string): boolean {
  return line.trim() !== '';
}

/** The first lines that came too often (+) or too seldom (-). */
function differences(expected: readonly string[], arrived: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const line of arrived) counts.set(line, (counts.get(line) ?? 0) + 1);
  for (const line of expected) counts.set(line, (counts.get(line) ?? 0) - 1);
  return [...counts]
    .filter(([, count]) => count !== 0)
    .map(([line, count]) => `${count > 0 ? '+' : ''}${count} ${line}`)
    .slice(0, 3);
}
