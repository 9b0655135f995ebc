import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { DeliveryStats } from '@logferry/core';
import { type LogServiceEmulator, startCloudWatch, startLogService } from '@logferry/emulators';
import { type Cloud, shipTo } from '../support/clouds.js';
import type { Host } from './endings.js';
import { runChild } from './run.js';

/** The modes of a spool, and where it is: the columns of the table. */
export const columns = [
  { mode: 'spill', thread: false },
  { mode: 'spill', thread: true },
  { mode: 'journal', thread: false },
  { mode: 'journal', thread: true },
] as const;

export type Column = (typeof columns)[number];

/** The hosts of a column, with the options that they need for it. */
export const hostsOf = ({ thread }: Column): readonly (readonly [Host, object])[] =>
  thread
    ? [
        ['winston', { thread }],
        ['pino in its worker', {}],
        ['bunyan', { thread }],
      ]
    : [
        ['winston', {}],
        ['pino in process', {}],
        ['bunyan', {}],
      ];

/** What is promised of the records of a process. */
export interface Fate {
  /** Delivered before its end. */
  readonly before: number;
  /** Delivered by the next start. */
  readonly after: number;
}

/** A way in which a process with a spool ends: a row of the table. */
export interface SpooledEnding {
  readonly name: string;
  /** The act of `child.js` after the last record. */
  readonly act: string;
  /** Whether the service is away until the process has ended. */
  readonly isAway: boolean;
  /** Exit code, or the signal that ended the process. */
  readonly exit: number | NodeJS.Signals;
  /** The promise for each column. */
  readonly fates: readonly Fate[];
}

/** Half of them are logged in the turn in which the process ends. The others have reached the worker, if there is one. */
export const RECORDS = 100;

const DELIVERED: Fate = { before: RECORDS, after: 0 };
const KEPT: Fate = { before: 0, after: RECORDS };
const HALF_KEPT: Fate = { before: 0, after: RECORDS / 2 };
const LOST: Fate = { before: 0, after: 0 };

const everywhere = [DELIVERED, DELIVERED, DELIVERED, DELIVERED];
const onlyByThread = [KEPT, DELIVERED, KEPT, DELIVERED];
const nowhere = [KEPT, KEPT, KEPT, KEPT];

export const spooledEndings: readonly SpooledEnding[] = [
  { name: 'natural end', act: 'nothing', isAway: false, exit: 0, fates: everywhere },
  { name: '`process.exit()` at once', act: 'exit', isAway: false, exit: 0, fates: onlyByThread },
  { name: 'uncaught throw', act: 'throw', isAway: false, exit: 1, fates: onlyByThread },
  { name: 'service down, natural end', act: 'nothing', isAway: true, exit: 0, fates: nowhere },
  { name: 'service down, `process.exit()` at once', act: 'exit', isAway: true, exit: 0, fates: nowhere },
  { name: 'service down, uncaught throw', act: 'throw', isAway: true, exit: 1, fates: nowhere },
  {
    name: 'service down, SIGKILL',
    act: 'SIGKILL',
    isAway: true,
    exit: 'SIGKILL',
    fates: [LOST, LOST, KEPT, HALF_KEPT],
  },
];

/** One process with a spool, and the next. */
export interface SpooledCell {
  readonly ending: SpooledEnding;
  readonly column: Column;
  readonly host: Host;
  /** Options of the transport for this host and column. */
  readonly hostOptions: object;
  readonly cloud: Cloud['label'];
}

/** What both processes did. */
export interface Survival {
  readonly exit: number | NodeJS.Signals;
  /** The numbers of the records that the service stored before the end of the first process, and afterwards, sorted. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /** The counters of the first process at its exit, and of the second. Absent for pino's worker, and after a signal. */
  readonly stats: DeliveryStats | undefined;
  readonly nextStats: DeliveryStats | undefined;
  readonly stderr: string;
  readonly nextStderr: string;
  /** Segments on disk after the second process. */
  readonly segments: readonly string[];
}

/** Ends a process, and starts the next one. */
export async function survive({ ending, column, host, hostOptions, cloud }: SpooledCell): Promise<Survival> {
  const emulator = await emulators[cloud]();
  const directory = mkdtempSync(join(tmpdir(), 'logferry-survival-'));
  try {
    const options = {
      ...emulator.options,
      ...hostOptions,
      maxDelayMs: 60_000,
      closeTimeoutMs: 9000,
      spool: { directory, mode: column.mode },
    };
    const name = cloud === 'cloudwatch' ? cloud : 'log-service';
    const plan = { cell: `${host}, ${ending.name}`, host, cloud: name, options, listeners: 'none' };
    const hasty = ending.isAway ? { ...options, closeTimeoutMs: 300 } : options;
    emulator.faults({ down: ending.isAway });
    const first = await runChild({
      ...plan,
      options: hasty,
      records: RECORDS,
      act: ending.act,
      flushesHalf: ending.act === 'SIGKILL',
    });
    emulator.faults();
    const before = emulator.numbers();
    const second = await runChild({ ...plan, records: 0, act: 'end, exit' });
    const after = emulator.numbers().slice(before.length);
    const segments = readdirSync(directory, { recursive: true, encoding: 'utf8' }).filter((name) => /\.v1/.test(name));
    return {
      exit: first.exit,
      before: before.toSorted((a, b) => a - b),
      after: after.toSorted((a, b) => a - b),
      stats: first.stats,
      nextStats: second.stats,
      stderr: first.stderr,
      nextStderr: second.stderr,
      segments,
    };
  } finally {
    await emulator.close();
    rmSync(directory, { recursive: true });
  }
}

interface Emulator {
  readonly options: object;
  faults(plan?: { readonly down?: boolean }): void;
  /** The numbers of the stored records, in order of arrival. */
  numbers(): readonly number[];
  close(): Promise<void>;
}

const emulators: Readonly<Record<Cloud['label'], () => Promise<Emulator>>> = {
  async cloudwatch() {
    const emulator = await startCloudWatch({ strict: true });
    return {
      options: shipTo(emulator),
      faults: (plan) => emulator.faults(plan),
      numbers: () => emulator.events().map(({ message }) => Number(JSON.parse(message).number)),
      close: () => emulator.close(),
    };
  },
  'log-service': () => logServiceFor(({ target }) => target),
  'signed log-service': () => logServiceFor(({ signedTarget }) => signedTarget),
};

async function logServiceFor(optionsFor: (emulator: LogServiceEmulator) => object): Promise<Emulator> {
  const emulator = await startLogService({ strict: true });
  return {
    options: optionsFor(emulator),
    faults: (plan) => emulator.faults(plan),
    numbers: () => emulator.events().map(({ fields }) => Number(fields.number)),
    close: () => emulator.close(),
  };
}
