import { once } from 'node:events';
import { inspectSpool } from '@logferry/core/spool-command';
import type { Command } from 'commander';
import { UsageError } from '../usage-error.js';

/** Of a program that SIGPIPE ends: the reader of its output wants no more, as `head` does. */
const PIPE_CLOSED = 141;

/** `logferry spool DIR` */
export function addSpoolCommand(program: Command): void {
  program
    .command('spool')
    .summary('show, print or repair what is on disk')
    .description(
      [
        `Shows what the directory of the option "spool" holds: destinations, owners, segments, records, health. It changes nothing, and may`,
        `run while processes write.`,
      ].join(' '),
    )
    .argument('<directory>', 'directory of the option "spool"')
    .option(
      '--print',
      'write the records that are left, one a line, as JSON: { destination, acceptedAt, urgent, sent, events }',
    )
    .option(
      '--recover',
      'repair what dead owners left: damaged bytes and foreign files go to the quarantine. Ships nothing',
    )
    .addHelpText('after', EXIT_CODES)
    .action(async (directory: string, { print, recover }: { print?: boolean; recover?: boolean }) => {
      if (print && recover) throw new UsageError('expected --print or --recover, and not both');
      process.exitCode = await show(directory, print ? 'print' : recover ? 'recover' : 'list');
    });
}

function show(directory: string, action: 'list' | 'print' | 'recover'): Promise<number> {
  const { stdout, stderr } = process;
  stdout.on('error', ({ code, message }: NodeJS.ErrnoException) => {
    if (code === 'EPIPE') process.exit(PIPE_CLOSED);
    stderr.write(`logferry: stdout cannot be written: ${message}\n`, () => process.exit(2));
  });
  return inspectSpool(directory, action, {
    out: async (text) => {
      if (!stdout.write(text)) await once(stdout, 'drain');
    },
    error: (text) => void stderr.write(text),
  });
}

const EXIT_CODES = `
Exit codes:
  0  nothing is damaged
  1  something is damaged, foreign, of another version, or cannot be read; with --recover: or cannot be repaired
  2  wrong arguments, or the directory cannot be read
  3  with --recover: the rest is repaired, but the directory of a living owner was left alone
`;
