import { numberOption } from '@logferry/core';
import type { Command } from 'commander';
import type { OptionSpec } from '../options/option.js';
import { addFlags, readOptions } from '../options/read-options.js';
import { addShippingOptions, openShipping, SHIPPING_EXIT_CODES, type Shipping } from '../pipe/shipping-command.js';
import { Signals } from '../pipe/signals.js';
import { count, digits, size } from '../pipe/texts.js';
import { withSources } from '../targets/target-options.js';
import type { AnyTarget } from '../targets/targets.js';
import { UsageError } from '../usage-error.js';
import { type FileSource, inspectFile, readFrom } from './file-source.js';
import { Marks } from './marks.js';
import { RateLimit } from './rate-limit.js';
import { type FileStart, shipFile, startOf } from './ship-file.js';
import { countOutside, TimeWindow } from './time-window.js';

const specs: readonly OptionSpec[] = [
  { path: ['resume'], kind: 'boolean', description: 'go on where the last run of this file to this target ended' },
  {
    path: ['maxRecordsPerSecond'],
    kind: 'number',
    value: 'n',
    description: 'most records a second',
    defaultText: 'as fast as the service takes them',
  },
  {
    path: ['outOfWindow'],
    kind: 'text',
    choices: ['stop', 'now', 'skip'],
    value: 'rule',
    description:
      'records older, or later, than the service takes: stop ships nothing, now gives them the time now, skip leaves them out',
    defaultText: 'stop',
  },
];

const RULES = ['stop', 'now', 'skip'] as const;

interface Settings {
  readonly resume: boolean;
  readonly maxRecordsPerSecond: number;
  readonly rule: (typeof RULES)[number];
}

/** `logferry ship cloudwatch FILE…`: ships files, also compressed by gzip. */
export function addShipCommand(ship: Command, target: AnyTarget): void {
  const command = ship
    .command(target.name)
    .summary(`ship files to ${target.title}`)
    .description(
      [
        `Ships the lines of files to ${target.title}, also of files that gzip compressed, and shows the progress on a terminal. A run that was`,
        `interrupted goes on with --resume: at most what was in flight is sent twice. The marks for it are below $XDG_STATE_HOME/logferry, or ~/.local/state/logferry.`,
      ].join(' '),
    )
    .argument('<files...>', 'files to ship, in this order')
    .action(async (files: readonly string[], flags: Readonly<Record<string, unknown>>) => {
      process.exitCode = await shipFiles(target, files, flags);
    });
  addFlags(command, specs, 'Files:');
  addShippingOptions(command, target);
  command.addHelpText('after', SHIPPING_EXIT_CODES);
}

async function shipFiles(
  target: AnyTarget,
  paths: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): Promise<number> {
  const settings = readSettings(flags);
  // One by one: a process may have so many open files only.
  const sources: FileSource[] = [];
  for (const path of paths) sources.push(await inspect(path));
  const shipping = await openShipping(target, flags);
  const { session, terminal, quiet } = shipping;
  const { asked } = new Signals(terminal);
  const files: PlannedFile[] = [];
  let isComplete = true;
  for (const source of sources) {
    try {
      const marks = new Marks(source.path, session.identity, (text) => terminal.say(`${source.path}: ${text}`));
      files.push({ source, marks, start: await startOf(source, marks, settings.resume) });
    } catch (error) {
      isComplete = false;
      terminal.say(`${source.path} cannot be read: ${(error as Error).message}`);
    }
  }
  const window = new TimeWindow(session.limits);
  if (window.isBounded && !(await mayShip(files, window, shipping, settings, asked))) {
    await session.end({ quiet: true, asked });
    return 1;
  }
  const rateLimit = settings.maxRecordsPerSecond > 0 ? new RateLimit(settings.maxRecordsPerSecond) : undefined;
  const progress = new Progress(sources);
  session.showProgress(() => progress.text);
  const finishes: (() => void)[] = [];
  for (const { source, marks, start } of files) {
    if (asked.aborted) {
      isComplete = false;
      break;
    }
    const before = progress.bytes;
    try {
      const { resumedAt, left, isWhole, finish } = await shipFile(source, {
        shipper: session.shipper,
        chunkBytes: session.chunkBytes,
        rateLimit,
        signal: asked,
        marks,
        start,
        isWanted: (record) => settings.rule !== 'skip' || window.has(record),
        openReader: shipping.openReader,
        onRead: (bytes) => progress.add(bytes),
      });
      finishes.push(finish);
      if (resumedAt > 0) terminal.say(`${source.path}: went on after ${count(resumedAt, 'record')}`);
      if (left > 0)
        terminal.say(`${source.path}: ${count(left, 'record')} left out, since the service does not take their time`);
      isComplete &&= isWhole;
    } catch (error) {
      isComplete = false;
      terminal.say(`${source.path} cannot be read to its end: ${(error as Error).message}`);
    }
    progress.bytes = before + source.sizeBytes;
  }
  const lost = await session.end({ quiet, asked });
  for (const finish of finishes) finish();
  if (asked.aborted && !(isComplete && lost === 0)) terminal.say(INTERRUPTED);
  return isComplete && lost === 0 ? 0 : 1;
}

/** A file, and where its shipping begins. */
interface PlannedFile {
  readonly source: FileSource;
  readonly marks: Marks;
  readonly start: FileStart;
}

const INTERRUPTED = 'interrupted: the same command with --resume goes on';

function readSettings(flags: Readonly<Record<string, unknown>>): Settings {
  const options = readOptions(specs, flags, process.env, undefined);
  const { resume = false, maxRecordsPerSecond, outOfWindow = 'stop' } = options.values;
  const rule = RULES.find((each) => each === outOfWindow);
  if (!rule)
    throw new UsageError(
      `${options.sourceOf('outOfWindow')}: expected ${RULES.join(' or ')}, got ${JSON.stringify(outOfWindow)}`,
    );
  return withSources(options, () => ({
    resume: resume === true,
    maxRecordsPerSecond: numberOption('maxRecordsPerSecond', maxRecordsPerSecond, 0, { min: 1, integer: false }),
    rule,
  }));
}

async function inspect(path: string): Promise<FileSource> {
  try {
    return await inspectFile(path);
  } catch (error) {
    throw new UsageError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

/** Counts the records with a time that the service does not take, and says so. False if nothing is to be shipped then. */
async function mayShip(
  files: readonly PlannedFile[],
  window: TimeWindow,
  { openReader, terminal }: Shipping,
  { rule }: Settings,
  asked: AbortSignal,
): Promise<boolean> {
  let outside = 0;
  let records = 0;
  for (const { source, start } of files) {
    terminal.status(`reading the times of ${source.path}`);
    const counted = await countOutside(
      readFrom(source, start.offset, () => {}),
      window,
      openReader,
      asked,
    );
    if (asked.aborted) {
      terminal.status('');
      terminal.say(INTERRUPTED);
      return false;
    }
    outside += counted.outside;
    records += counted.records;
  }
  terminal.status('');
  if (outside === 0) return true;
  const what = `${digits(outside)} of ${count(records, 'record')} have a time that the service does not take now (${window.text})`;
  if (rule === 'stop')
    terminal.say(
      `${what}: nothing was shipped. --out-of-window now ships them with the time now, --out-of-window skip leaves them out`,
    );
  else terminal.say(`${what}: ${rule === 'now' ? 'they get the time now' : 'they are left out'}`);
  return rule !== 'stop';
}

/** The part of the files that was read. */
class Progress {
  bytes = 0;
  readonly #total: number;

  constructor(sources: readonly FileSource[]) {
    this.#total = sources.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }

  add(bytes: number): void {
    this.bytes += bytes;
  }

  /** `[########------------] 40 % of 120.3 MB` */
  get text(): string {
    const part = this.#total === 0 ? 1 : Math.min(1, this.bytes / this.#total);
    const filled = Math.round(part * BAR_CHARS);
    const bar = `${'#'.repeat(filled)}${'-'.repeat(BAR_CHARS - filled)}`;
    return `[${bar}] ${Math.floor(part * 100)} % of ${size(this.#total)}`;
  }
}

const BAR_CHARS = 20;
