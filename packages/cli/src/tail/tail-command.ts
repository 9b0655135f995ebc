import { ConfigError, numberOption, standardLevels, stringOption } from '@logferry/core';
import type { Command } from 'commander';
import type { OptionSpec } from '../options/option.js';
import { addFlags, type ReadOptions, readOptions } from '../options/read-options.js';
import { exitCodeOf } from '../pipe/signals.js';
import { openOutput } from '../stdout.js';
import { addConfigFlag, readConfig } from '../targets/read-config.js';
import { readTargetOptions, withSources } from '../targets/target-options.js';
import type { AnyTarget } from '../targets/targets.js';
import { UsageError } from '../usage-error.js';
import { rankOfLevel } from './level-rank.js';
import { parseSince } from './since.js';
import { runTail, type TailSettings, type TailTarget } from './tail.js';

/** The options of a destination that name what is read, and how the service is reached. */
const READ_NAMES: readonly string[] = [
  ...['logGroupName', 'logStreamName', 'profile', 'assumeRole'],
  ...['project', 'logstore', 'topic', 'credentials'],
  ...['endpoint', 'region', 'proxy'],
];

/** What these options mean to a command that reads. */
const READ_TEXTS: Readonly<Record<string, Pick<OptionSpec, 'description' | 'defaultText'>>> = {
  logGroupName: { description: 'log group' },
  logStreamName: { description: 'log stream', defaultText: 'all' },
  'assumeRole.roleArn': { description: 'role to read the logs with' },
  logstore: { description: 'logstore' },
  topic: { description: 'topic', defaultText: 'all' },
  credentials: {
    description: 'env: ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET, which may read',
    defaultText: 'env',
  },
};

/** Names of which a template stands for several: all are shown. */
const FILTERS: readonly string[] = ['logStreamName', 'topic'];

const specs: readonly OptionSpec[] = [
  {
    path: ['since'],
    kind: 'text',
    value: 'when',
    description:
      'the earliest record: an age such as 90s, 10m, 2h or 3d, or a time in ISO 8601, by the local clock unless it has a zone',
    defaultText: '10m',
  },
  { path: ['follow'], kind: 'boolean', description: 'go on with the records that come', defaultText: 'true' },
  {
    path: ['level'],
    kind: 'text',
    choices: ['trace', 'debug', 'info', 'warn', 'error', 'fatal'],
    value: 'name',
    description: 'records of this level and worse: debug, info, warn, …',
  },
  {
    path: ['grep'],
    kind: 'text',
    value: 'pattern',
    description: 'records that match: a text, or /a regular expression/i',
  },
  { path: ['raw'], kind: 'boolean', description: 'print records as they came' },
  {
    path: ['pollMs'],
    kind: 'number',
    value: 'ms',
    description: 'wait between two looks for new records',
    defaultText: '1000',
  },
];

/** `logferry tail cloudwatch`: prints what arrives. */
export function addTailCommand(tail: Command, target: AnyTarget): void {
  const command = tail
    .command(target.name)
    .summary(`follow the logs of ${target.title}`)
    .description(
      `Prints the records of ${target.title}, and those that come: those of pino, bunyan and winston in short form. Times are those of the local zone. It needs the right to read.`,
    )
    .action(async (flags: Readonly<Record<string, unknown>>) => {
      process.exitCode = await tailTarget(target, flags);
    });
  addConfigFlag(command, target);
  addFlags(command, specs, 'Records:');
  addFlags(
    command,
    readSpecsOf(target).map((spec) => ({ ...spec, ...READ_TEXTS[spec.path.join('.')] })),
    `${target.title}:`,
  );
}

async function tailTarget(target: AnyTarget, flags: Readonly<Record<string, unknown>>): Promise<number> {
  const settings = readSettings(readOptions(specs, flags, process.env, undefined));
  const options = readTargetOptions(target, flags, await readConfig(flags), readSpecsOf(target));
  const source = sourceOf(target, options);
  const ended = new AbortController();
  const { error: tell, ...output } = openOutput(ended.signal);
  const error = (text: string): void => tell(`logferry: ${text}`);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.on(signal, () => {
      // Nothing is lost: a reader of stdout that does not read is not waited for.
      if (ended.signal.aborted || process.stdout.writableLength > 0) process.exit(exitCodeOf(signal));
      ended.abort();
    });
  try {
    await runTail(source, settings, { ...output, error }, ended.signal);
    return 0;
  } catch (thrown) {
    if (thrown instanceof UsageError || ConfigError.is(thrown))
      return withSources(options, () => {
        throw thrown;
      });
    error((thrown as Error).message);
    return 1;
  }
}

function readSpecsOf(target: AnyTarget): readonly OptionSpec[] {
  return target.specs.filter(({ path }) => READ_NAMES.includes(path[0]));
}

/** What is read. Throws `UsageError` for a template that names no one group or logstore. */
function sourceOf(target: AnyTarget, { values, sourceOf: sourceOfOption }: ReadOptions): TailTarget {
  const named: Record<string, unknown> = {};
  for (const name of READ_NAMES) {
    const value = values[name];
    const isTemplate = typeof value === 'function' || (typeof value === 'string' && /[{}]/.test(value));
    if (value === undefined || (isTemplate && FILTERS.includes(name))) continue;
    if (isTemplate && name !== 'credentials')
      throw new UsageError(`${sourceOfOption(name)}: expected one name, and not a template, which stands for several`);
    named[name] = value;
  }
  // Nothing can be read without a signature.
  if (target.name === 'log-service') named.credentials ??= 'env';
  return { cloud: target.name, ...named } as unknown as TailTarget;
}

function readSettings(options: ReadOptions): TailSettings {
  const { since, follow, level, grep, raw, pollMs } = options.values;
  return withSources(options, () => ({
    sinceMs: parseSince(stringOption('since', since, '10m'), options.sourceOf('since'), Date.now()),
    follow: follow !== false,
    minRank: level === undefined ? undefined : parseLevel(String(level), options.sourceOf('level')),
    grep: grep === undefined ? undefined : parsePattern(stringOption('grep', grep, ''), options.sourceOf('grep')),
    raw: raw === true,
    pollMs: numberOption('pollMs', pollMs, 1000, { min: 100 }),
  }));
}

function parseLevel(text: string, source: string): number {
  const rank = rankOfLevel(text);
  if (rank !== undefined) return rank;
  throw new UsageError(
    `${source}: expected ${[...standardLevels.keys()].join(', ')} or a number, got ${JSON.stringify(text)}`,
  );
}

function parsePattern(text: string, source: string): RegExp {
  const [, pattern, flags] = /^\/(.+)\/([imsu]*)$/s.exec(text) ?? [];
  try {
    return new RegExp(pattern ?? text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'), flags);
  } catch (error) {
    throw new UsageError(`${source}: ${(error as Error).message}`);
  }
}
