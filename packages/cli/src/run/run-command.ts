import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import type { Command } from 'commander';
import { givenEnv } from '../environment.js';
import { shipInput } from '../pipe/ship-input.js';
import { addShippingOptions, openShipping } from '../pipe/shipping-command.js';
import { DELIVERING, exitCodeOf } from '../pipe/signals.js';
import { leaveStuck, Tee } from '../pipe/tee.js';
import type { Terminal } from '../pipe/terminal.js';
import type { AnyTarget } from '../targets/targets.js';

/** The exit codes of a shell for a program that is not there, and for one that cannot be started. */
const NOT_FOUND = 127;
const NOT_STARTED = 126;

/** Signals that are passed on. */
const PASSED = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGUSR2', 'SIGWINCH'] as const;

/** Those that end the command after the program has ended. */
const ENDING: readonly string[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'];

type Child = ChildProcessByStdio<null, Readable, Readable>;

/** `logferry run cloudwatch -- node app.js`: starts the program itself, and ships what it writes to stdout and stderr. */
export function addRunCommand(run: Command, target: AnyTarget): void {
  const command = run
    .command(target.name)
    .summary(`start a program, and ship its output to ${target.title}`)
    .description(
      [
        `Starts a program, and ships the lines of its stdout and stderr to ${target.title}. Signals are passed on. The exit code is the`,
        `program's: 128 + n if the signal n ended it, 127 if it is not there, 126 if it cannot be started. A program that went well gives 1 if records were lost, or its output was not shipped or passed on as a whole.`,
      ].join(' '),
    )
    .argument('<program>', 'program to start; what follows are its arguments: put -- before it')
    .argument('[arguments...]', 'its arguments')
    .passThroughOptions()
    .action(async (program: string, args: readonly string[], flags: Readonly<Record<string, unknown>>) => {
      process.exitCode = await runProgram(target, program, args, flags);
    });
  addShippingOptions(command, target, { tee: 'pass the output of the program on to stdout and stderr, unchanged' });
}

async function runProgram(
  target: AnyTarget,
  program: string,
  args: readonly string[],
  flags: Readonly<Record<string, unknown>>,
): Promise<number> {
  const outputs = [process.stdout, process.stderr];
  const { session, terminal, quiet, openReader, ...shipping } = await openShipping(target, flags, outputs);
  const tees = shipping.tee
    ? [new Tee(process.stdout, 'stdout', terminal), new Tee(process.stderr, 'stderr', terminal)]
    : [];
  const ended = new AbortController();
  const deserted = new AbortController();
  let child: Child;
  try {
    child = spawn(program, args, { env: givenEnv, stdio: ['inherit', 'pipe', 'pipe'] });
  } catch (error) {
    // Such as an empty name.
    await session.end({ quiet: true, asked: AbortSignal.abort() });
    terminal.say(`${JSON.stringify(program)} cannot be started: ${(error as Error).message}`);
    return NOT_STARTED;
  }
  const stopPassing = passSignals(child, ended, terminal);
  const exited = exitOf(child, program, terminal).finally(() => {
    stopPassing();
    deserted.abort();
  });
  let isUnreadable = false;
  const inputs = [child.stdout, child.stderr].map((input, index) =>
    shipInput(input, openReader(), session, {
      tee: tees[index],
      // While the program runs it alone decides when its output ends: no signal comes here.
      asked: ended.signal,
      deserted: deserted.signal,
    }).catch((error: Error) => {
      // What did not start has no output.
      isUnreadable = child.pid !== undefined;
      if (isUnreadable) terminal.say(`the output of ${program} cannot be read: ${error.message}`);
      return true;
    }),
  );
  const exit = await exited;
  const isWhole = (await Promise.all(inputs)).every(Boolean);
  const isCut = !isWhole && ended.signal.aborted;
  if (isCut) terminal.say(`the output of ${program} was not read to its end`);
  else if (!isWhole) terminal.say(`${program} left a program behind: what that one writes from now on is not shipped`);
  if (exit.fault !== undefined) terminal.say(exit.fault);
  const lost = await session.end({ quiet: quiet || exit.fault !== undefined, asked: ended.signal });
  const isWell = lost === 0 && !isCut && !isUnreadable && !tees.some(({ hasFailed }) => hasFailed);
  const code = exit.code === 0 && !isWell ? 1 : exit.code;
  if (ended.signal.aborted) leaveStuck(tees, code, terminal);
  return code;
}

interface Exit {
  readonly code: number;
  /** Why the program did not start. */
  readonly fault?: string;
}

function exitOf(child: Child, program: string, terminal: Terminal): Promise<Exit> {
  return new Promise((resolve) => {
    child.once('exit', (code, signal) => resolve({ code: code ?? (signal ? exitCodeOf(signal) : 1) }));
    child.on('error', ({ code, message }: NodeJS.ErrnoException) => {
      if (child.pid !== undefined) {
        terminal.say(`a signal was not passed on to ${program}: ${message}`);
        return;
      }
      child.stdout.destroy();
      child.stderr.destroy();
      resolve(
        code === 'ENOENT'
          ? { code: NOT_FOUND, fault: `${program}: not found` }
          : { code: NOT_STARTED, fault: `${program} cannot be started: ${message}` },
      );
    });
  });
}

/**
 * Passes signals on while the program runs. Afterwards the first one shortens the wait for the rest, the second ends the command.
 *
 * @returns the function that ends the passing on
 */
function passSignals(child: Child, ended: AbortController, terminal: Terminal): () => void {
  let isRunning = true;
  // A terminal sends the signals of its keys to all programs in front.
  const hasTerminal = [process.stdin, process.stdout, process.stderr].some(({ isTTY }) => isTTY);
  const isFromTerminal = (signal: string): boolean => hasTerminal && ['SIGINT', 'SIGQUIT', 'SIGWINCH'].includes(signal);
  for (const signal of PASSED)
    process.on(signal, () => {
      if (isRunning) {
        if (!isFromTerminal(signal)) child.kill(signal);
        return;
      }
      if (!ENDING.includes(signal)) return;
      if (ended.signal.aborted) terminal.leave(exitCodeOf(signal));
      terminal.say(`${signal}: ${DELIVERING}`);
      ended.abort();
    });
  return () => {
    isRunning = false;
  };
}
