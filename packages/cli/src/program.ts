import { Command, CommanderError, Help } from 'commander';
import './environment.js';
import { asNamedElsewhere, ConfigError, nearestName } from '@logferry/core';
import { addCompleteCommand, completionsOf } from './complete/complete-command.js';
import { addDevCommand } from './dev/dev-command.js';
import { addDoctorCommand } from './doctor/doctor-command.js';
import { otherFlags } from './options/other-flags.js';
import { unknownVariables } from './options/unknown-variables.js';
import { addPipeCommand } from './pipe/pipe-command.js';
import { SHIPPING_EXIT_CODES } from './pipe/shipping-command.js';
import { addRunCommand } from './run/run-command.js';
import { safeLines, safeText } from './safe-text.js';
import { addShipCommand } from './ship/ship-command.js';
import { addSpoolCommand } from './spool/spool-command.js';
import { addTailCommand } from './tail/tail-command.js';
import { targets } from './targets/targets.js';
import { UsageError } from './usage-error.js';

/** Runs a command line. Resolves when the command has ended; `process.exitCode` is set. */
export async function main(argv: readonly string[], version: string): Promise<void> {
  bearClosedOutputs();
  const program = createProgram(version);
  const [, , command, dashes, ...words] = argv;
  // The question of a shell's completion. No parser reads it: its words are unfinished.
  if (command === 'complete' && dashes === '--') {
    process.stdout.write(completionsOf(program, words));
    return;
  }
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) process.exitCode = error.exitCode === 0 ? 0 : 2;
    else if (error instanceof UsageError || ConfigError.is(error)) {
      process.stderr.write(`logferry: ${safeLines(error.message.replace(/^\[logferry\] /, '')).join('\n')}\n`);
      process.exitCode = 2;
    } else if (isSystemError(error)) {
      process.stderr.write(`logferry: ${error.message}\n`);
      process.exitCode = 1;
    } else throw error;
  }
}

/** Of a disk or a port, say: a fault of the machine, whose stack tells nothing. */
function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
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
    .addHelpText('after', SHIPPING_EXIT_CODES);
  for (const target of targets) addPipeCommand(program, target);
  const run = program.command('run').enablePositionalOptions().description('start a program, and ship its output');
  for (const target of targets) addRunCommand(run, target);
  const ship = program.command('ship').description('ship files');
  for (const target of targets) addShipCommand(ship, target);
  const tail = program.command('tail').description('follow the logs of a service');
  for (const target of targets) addTailCommand(tail, target);
  const doctor = program.command('doctor').description('say why records do not arrive, and what to do');
  for (const target of targets) addDoctorCommand(doctor, target);
  addDevCommand(program);
  addSpoolCommand(program);
  addCompleteCommand(program);
  program.hook('preAction', (_, command) => {
    if (!targets.some(({ name }) => name === command.name())) return;
    for (const text of unknownVariables(program, process.env)) process.stderr.write(`logferry: ${text}\n`);
  });
  settle(program);
  return program;
}

/** Commands do not inherit these settings when they are made by others. */
function settle(command: Command): void {
  command
    .exitOverride()
    .configureOutput({ outputError: (text, write) => write(withHint(text, command)) })
    .configureHelp({
      helpWidth: Math.min(120, new Help().helpWidth ?? process.stdout.columns ?? 100),
      // The descriptions say the choices and the defaults.
      optionDescription: ({ description }) => description,
      argumentDescription: ({ description }) => description,
    });
  for (const each of command.commands) settle(each);
}

function withHint(text: string, command: Command): string {
  const fault = safeText(text.replace(/^error: /, '').split('\n', 1)[0] ?? '');
  return `logferry: ${fault.replace(/\.$/, '')}: ${hintFor(fault, command)}\n`;
}

/** What was probably meant, or where to look. */
function hintFor(fault: string, command: Command): string {
  const [, dashes, unknown] = /^unknown (?:option|command) '(-*)([^'=]+)/.exec(fault) ?? [];
  const elsewhere = command.name() === 'cloudwatch' && asNamedElsewhere(unknown ?? '', otherFlags);
  if (elsewhere) return elsewhere;
  const commands = command.commands.map((each) => each.name());
  const meant = unknown === undefined ? undefined : nearestName(unknown, dashes ? flagsOf(command) : commands);
  if (meant !== undefined) return `did you mean ${dashes}${meant}?`;
  const path = pathOf(command);
  if (unknown !== undefined && command.parent && commands.length > 0)
    return `expected ${targets.map(({ name }) => `"${path} ${name} …"`).join(' or ')}`;
  return `${path} --help shows all ${command.parent ? 'options' : 'commands'}`;
}

/** The long names of all flags, without dashes: a second one stands where the parser expects a short one. */
function flagsOf({ options }: Command): string[] {
  const names = options.flatMap(({ short, long }) => [short, long]);
  return names.flatMap((name) => (name?.startsWith('--') ? name.slice(2) : []));
}

/** `logferry run cloudwatch` */
function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name();
}
