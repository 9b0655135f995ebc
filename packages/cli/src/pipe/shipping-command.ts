import type { Shipper } from '@logferry/core';
import type { Command } from 'commander';
import { RecordReader, type RecordReaderOptions } from '../lines/record-reader.js';
import { lineSpecs } from '../options/line-specs.js';
import { addFlags } from '../options/read-options.js';
import { addConfigFlag, readConfig } from '../targets/read-config.js';
import { addShippingFlags, readTargetOptions } from '../targets/target-options.js';
import type { AnyTarget } from '../targets/targets.js';
import { readLineSettings } from './line-settings.js';
import { Session } from './session.js';
import { Terminal } from './terminal.js';

/** Lines of more characters are lost: no service takes a record of that size. */
const MAX_LINE_CHARS = 4 * 1024 * 1024;

/** What becomes of the lines of an input. */
type LineHandlers = Pick<RecordReaderOptions, 'onRecord' | 'onTooLong'>;

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

/** Of a command that ships, in its help. */
export const SHIPPING_EXIT_CODES = `
Exit codes:
  0      all that was read is delivered, or kept on disk
  1      records were lost, the input not read to its end, or not passed on by --tee;
         ship: nothing was shipped, for the times of the records
  2      wrong options, or a file that cannot be read
  128+n  the second signal n ended the command`;

/** Adds the flags of a command that ships lines; `--tee` with the text of its help, if the command has a use for it. */
export function addShippingOptions(command: Command, target: AnyTarget, { tee }: { readonly tee?: string } = {}): void {
  addConfigFlag(command, target);
  addFlags(
    command,
    lineSpecs.flatMap((spec) => {
      if (spec.path[0] !== 'tee') return spec;
      return tee === undefined ? [] : { ...spec, description: tee };
    }),
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
