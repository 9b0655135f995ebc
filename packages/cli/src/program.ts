import { Command } from 'commander';

/** Runs a command line. Resolves when the command has ended; `process.exitCode` is set. */
export async function main(argv: readonly string[], version: string): Promise<void> {
  const program = new Command('logferry')
    .description('Ships the output of any program to Amazon CloudWatch Logs or Alibaba Cloud Log Service.')
    .version(version);
  await program.parseAsync(argv);
}
