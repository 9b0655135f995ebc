// Inspects a spool, as the command `logferry spool` does: `[--print | --recover] DIRECTORY`.
import { once } from 'node:events';
import { inspectSpool } from '@logferry/core/spool-command';

const [flag, directory] = process.argv.length > 3 ? process.argv.slice(2) : ['', process.argv[2]];
process.exitCode = await inspectSpool(directory, flag === '' ? 'list' : flag.slice(2), {
  out: async (text) => {
    if (!process.stdout.write(text)) await once(process.stdout, 'drain');
  },
  error: (text) => void process.stderr.write(text),
});
