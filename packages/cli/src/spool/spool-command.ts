import { inspectSpool } from '@logferry/core/spool-command';
import type { Command } from 'commander';
import { openOutput } from '../stdout.js';
import { UsageError } from '../usage-error.js';

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
      const action = print ? 'print' : recover ? 'recover' : 'list';
      const output = openOutput();
      const error = (text: string): void => output.error(`logferry: ${text}`);
      process.exitCode = await inspectSpool(directory, action, { ...output, error });
    });
}

const EXIT_CODES = `
Exit codes:
  0  nothing is damaged
  1  something is damaged, foreign, of another version, or cannot be read; with --recover: or cannot be repaired
  2  wrong arguments, or the directory cannot be read
  3  with --recover: the rest is repaired, but the directory of a living owner was left alone
`;
