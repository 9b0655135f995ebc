import tab from '@bomb.sh/tab/commander';
import { Command, CommanderError, Help } from 'commander';
import './environment.js';
import { nearestName } from '@logferry/core';
import { addDevCommand } from './dev/dev-command.js';
import { addDoctorCommand } from './doctor/doctor-command.js';
import { addPipeCommand } from './pipe/pipe-command.js';
import { addRunCommand } from './run/run-command.js';
import { addShipCommand } from './ship/ship-command.js';
import { addSpoolCommand } from './spool/spool-command.js';
import { safeLines, safeText } from './tail/safe-text.js';
import { addTailCommand } from './tail/tail-command.js';
import { targets } from './targets/targets.js';
import { UsageError } from './usage-error.js';

const EXIT_CODES = `
Exit codes:
  0      all that was read is delivered, or kept on disk
  1      records were lost, or the input could not be read
  2      wrong options
  128+n  the second signal n ended the command
`;

/** Runs a command line. Resolves when the command has ended; `process.exitCode` is set. */
export async function main(argv: readonly string[], version: string): Promise<void> {
  bearClosedOutputs();
  try {
    await createProgram(version).parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else if (error instanceof UsageError) {
      process.stderr.write(`logferry: ${safeLines(error.message).join('\n')}\n`);
      process.exitCode = 2;
    } else throw error;
  }
}

/** A reader of the help may want no more of it, as `head` does, and stderr may be closed or full: no reason for a stack trace. */
function bearClosedOutputs(): void {
  for (const output of [process.stdout, process.stderr]) output.on('error', () => {});
}

/** The whole command line. */
export function createProgram(version: string): Command {
  const program = new Command('logferry')
    .description('Ships logs to Amazon CloudWatch Logs and Alibaba Cloud Log Service.')
    .version(version)
    .addHelpText('after', EXIT_CODES);
  for (const target of targets) addPipeCommand(program, target);
  const run = program.command('run').enablePositionalOptions().description('Starts a program, and ships its output.');
  for (const target of targets) addRunCommand(run, target);
  const ship = program.command('ship').description('Ships files.');
  for (const target of targets) addShipCommand(ship, target);
  const tail = program.command('tail').description('Follows the logs of a service.');
  for (const target of targets) addTailCommand(tail, target);
  const doctor = program.command('doctor').description('Says why records do not arrive, and what to do.');
  for (const target of targets) addDoctorCommand(doctor, target);
  addDevCommand(program);
  addSpoolCommand(program);
  settle(program);
  tab(program);
  return program;
}

/** Commands do not inherit these settings when they are made by others. */
function settle(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(withHint(text, command)) })
    .configureHelp({ helpWidth: Math.min(120, new Help().helpWidth ?? process.stdout.columns ?? 100) });
  for (const each of command.commands) settle(each);
}

/** Adds the flag that was probably meant, of both names of each. */
function withHint(text: string, command: Command): string {
  const [, flag] = /^error: unknown option '--([^'=]+)/.exec(text) ?? [];
  const flags = command.options.flatMap(({ short, long }) => [short, long]);
  const names = flags.flatMap((name) => (name?.startsWith('--') ? name.slice(2) : []));
  const meant = flag === undefined ? undefined : nearestName(flag, names);
  const hint = meant === undefined ? '--help shows all options' : `did you mean --${meant}?`;
  const fault = safeText(text.replace(/^error: /, '').split('\n', 1)[0] ?? '').replace(/\.$/, '');
  return `logferry: ${fault}: ${hint}\n`;
}
