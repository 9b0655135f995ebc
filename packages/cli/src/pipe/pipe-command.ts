import { fstatSync } from 'node:fs';
import type { Command } from 'commander';
import type { AnyTarget } from '../targets/targets.js';
import { UsageError } from '../usage-error.js';
import { shipInput } from './ship-input.js';
import { addShippingOptions, openShipping, SHIPPING_EXIT_CODES } from './shipping-command.js';
import { Signals } from './signals.js';
import { leaveStuck, Tee } from './tee.js';

/** `logferry cloudwatch`: ships the lines of stdin. */
export function addPipeCommand(program: Command, target: AnyTarget): void {
  const command = program
    .command(target.name)
    .summary(`ship the lines of stdin to ${target.title}`)
    .description(
      [
        `Ships the lines of stdin to ${target.title}: those of pino, bunyan and winston, other JSON, and plain text. Time and level are`,
        `recognised. While the service does not keep up, stdin is held back, and nothing is dropped.`,
      ].join(' '),
    )
    .action(async (flags: Readonly<Record<string, unknown>>) => {
      process.exitCode = await pipe(target, flags);
    });
  addShippingOptions(command, target, { tee: 'pass the input on to stdout, unchanged' });
  command.addHelpText('after', SHIPPING_EXIT_CODES);
}

async function pipe(target: AnyTarget, flags: Readonly<Record<string, unknown>>): Promise<number> {
  if (process.stdin.isTTY) throw new UsageError(HINT);
  // Node.js takes it for an empty input.
  if (isDirectory(STDIN)) throw new UsageError('stdin is a directory: "logferry ship" ships files');
  const { session, terminal, quiet, openReader, ...shipping } = await openShipping(target, flags, [process.stdout]);
  const { asked } = new Signals(terminal);
  const tee = shipping.tee ? new Tee(process.stdout, 'stdout', terminal) : undefined;
  let isRead = true;
  try {
    await shipInput(process.stdin, openReader(), session, { asked, tee });
  } catch (error) {
    isRead = false;
    terminal.say(`stdin cannot be read: ${(error as Error).message}`);
  }
  const lost = await session.end({ quiet, asked });
  const code = isRead && lost === 0 && !tee?.hasFailed ? 0 : 1;
  if (tee && asked.aborted) leaveStuck([tee], code, terminal);
  return code;
}

const STDIN = 0;

function isDirectory(file: number): boolean {
  try {
    return fstatSync(file).isDirectory();
  } catch {
    return false;
  }
}

const HINT =
  'stdin is a terminal: pipe a program into this command (node app.js | logferry …), or let "logferry run … -- node app.js" start it';
