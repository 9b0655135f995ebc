import type { Shipper } from '@logferry/core';
import type { Command } from 'commander';
import { RecordReader, type RecordReaderOptions } from '../lines/record-reader.js';
import { fileSpecs } from '../options/file-specs.js';
import { lineSpecs } from '../options/line-specs.js';
import { misspeltVariables } from '../options/misspelt-env.js';
import { addFlags } from '../options/read-options.js';
import { addConfigFlag, readConfig } from '../targets/read-config.js';
import { shippingSpecsOf } from '../targets/target.js';
import { addShippingFlags, readTargetOptions } from '../targets/target-options.js';
import { type AnyTarget, targets } from '../targets/targets.js';
import { readLineSettings } from './line-settings.js';
import { Session } from './session.js';
import { Terminal } from './terminal.js';

/** Variables of other commands are no mistake. */
const ALL_SPECS = [...targets.flatMap((target) => shippingSpecsOf(target)), ...lineSpecs, ...fileSpecs];

/** Lines of more characters are lost: no service takes a record of that size. */
const MAX_LINE_CHARS = 4 * 1024 * 1024;

/** What becomes of the lines of an input. */
export type LineHandlers = Pick<RecordReaderOptions, 'onRecord' | 'onTooLong'>;

/** What a command that ships has after its options are read. */
export interface Shipping {
  readonly session: Session;
  readonly terminal: Terminal;
  /** Passes the input on. */
  readonly tee: boolean;
  /** Says nothing of what is well. */
  readonly quiet: boolean;
  /** Makes a reader of an input. By default it hands its records to the shipper, and has lines that are too long counted as lost. */
  openReader(handlers?: Partial<LineHandlers>): RecordReader;
}

/** Adds the flags of a command that ships lines; `--tee` only if it has a use for it. */
export function addShippingOptions(
  command: Command,
  target: AnyTarget,
  { canTee }: { readonly canTee: boolean },
): void {
  addConfigFlag(command);
  addFlags(
    command,
    lineSpecs.filter(({ path }) => canTee || path[0] !== 'tee'),
    'Input:',
  );
  addShippingFlags(command, target);
}

/** Reads all options of such a command, and opens the shipper. `outputs` are those that `--tee` writes to. Throws `UsageError`. */
export async function openShipping(
  target: AnyTarget,
  flags: Readonly<Record<string, unknown>>,
  outputs: readonly NodeJS.WriteStream[] = [],
): Promise<Shipping> {
  // The page of `logferry dev` shows the counters of this process, too.
  if (process.env.LOGFERRY_DEV) await import('@logferry/emulators/report');
  const file = await readConfig(flags);
  const { multiline, tee, quiet } = readLineSettings(flags, file);
  const options = readTargetOptions(target, flags, file);
  const terminal = new Terminal(process.stderr, { isShared: tee && outputs.some(({ isTTY }) => isTTY) });
  for (const { name, meant } of misspeltVariables(ALL_SPECS, process.env))
    terminal.say(`${name} is the variable of no option: did you mean ${meant}?`);
  const session = new Session(target, options, terminal);
  const { shipper } = session;
  return {
    session,
    terminal,
    tee,
    quiet,
    openReader: (handlers) =>
      new RecordReader({
        multiline,
        maxLineChars: MAX_LINE_CHARS,
        onRecord: (record) => void shipper.accept(record),
        onTooLong: (head) => refuseLine(shipper, head),
        ...handlers,
      }),
  };
}

/** Has a line that is too long counted as lost. */
export function refuseLine(shipper: Shipper, head: string): void {
  const cause = new Error(`a line of more than ${MAX_LINE_CHARS} characters: ${head.slice(0, 80)}…`);
  shipper.refuse({ time: Date.now() }, 'too-large', cause);
}
