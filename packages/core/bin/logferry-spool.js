#!/usr/bin/env node
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { runCommand } from '../dist/esm/spool/command.js';

const { stdout, stderr } = process;
stdout.on('error', ({ code, message }) => {
  // The reader wants no more, as `head` does: the exit code is that of a program that SIGPIPE ends.
  if (code === 'EPIPE') process.exit(141);
  stderr.write(`logferry-spool: cannot write: ${message}\n`, () => process.exit(2));
});

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
process.exitCode = await runCommand(process.argv.slice(2), version, {
  out: async (text) => {
    if (!stdout.write(text)) await once(stdout, 'drain');
  },
  error: (text) => void stderr.write(text),
});
