import { once } from 'node:events';
import { numberOption } from '@logferry/core';
import type { Command } from 'commander';
import type { OptionSpec } from '../options/option.js';
import { addFlags, readOptions } from '../options/read-options.js';
import { openOutput } from '../stdout.js';
import { withSources } from '../targets/target-options.js';
import { UsageError } from '../usage-error.js';

const specs: readonly OptionSpec[] = [
  {
    path: ['port'],
    kind: 'number',
    value: 'n',
    description: 'port of the page; the servers take the next free ones',
    defaultText: '4600, or the next free one',
  },
  { path: ['project'], kind: 'text', value: 'name', description: 'project of Log Service', defaultText: 'local' },
  { path: ['logstore'], kind: 'list', value: 'name', description: 'logstore, once or more', defaultText: 'logs' },
  { path: ['region'], kind: 'text', value: 'name', description: 'region of both servers', defaultText: 'us-east-1' },
  { path: ['strict'], kind: 'boolean', description: 'refuse what the documentation forbids, and the services accept' },
];

/** `logferry dev`: local clouds, and a page that shows what arrives. */
export function addDevCommand(program: Command): void {
  const command = program
    .command('dev')
    .summary('local clouds, and a page that shows what arrives')
    .description(
      'Starts a local CloudWatch Logs and a local Log Service on this machine, with the rules of the services, and a page that shows records, requests and faults. Nothing leaves the machine.',
    )
    .action(async (flags: Readonly<Record<string, unknown>>) => {
      await startLocalClouds(flags);
    });
  addFlags(command, specs, 'Servers:');
}

async function startLocalClouds(flags: Readonly<Record<string, unknown>>): Promise<void> {
  // The variables of the other commands, which name where these ship to, are none for the servers.
  const options = readOptions(specs, flags, {}, undefined);
  const { port, project, logstore, region, strict } = options.values as {
    readonly port?: number;
    readonly project?: string;
    readonly logstore?: readonly string[];
    readonly region?: string;
    readonly strict?: boolean;
  };
  withSources(options, () => numberOption('port', port, 0, { min: 0, max: 65_535 }));
  // It becomes a part of lines for a shell.
  if (region !== undefined && !/^[a-z0-9-]+$/.test(region))
    throw new UsageError(`--region: expected a name such as us-east-1, got ${JSON.stringify(region)}`);
  const { startDev } = await import('@logferry/emulators');
  const { url, env, logService, close } = await startDev({
    ...(port !== undefined && { port }),
    ...(project !== undefined && { project }),
    ...(logstore !== undefined && { logstores: logstore }),
    ...(strict !== undefined && { strict }),
    ...(region !== undefined && { region }),
  }).catch((error: NodeJS.ErrnoException) => {
    throw usageErrorOf(error, port);
  });
  const asked = Promise.race(['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal)));
  const { endpoint, project: served, logstore: store } = logService.target;
  await openOutput().out(`The page is at ${url}

Variables for your program, in another terminal:
${Object.entries(env)
  .map(([name, value]) => `  export ${name}=${value}`)
  .join('\n')}

A first record, there:
  echo 'hello' | npx logferry cloudwatch --group shop
  echo 'hello' | npx logferry log-service --endpoint ${endpoint} --project ${served} --logstore ${store}

Your program, as it is:
  npx logferry run cloudwatch --group shop --tee -- node app.js

Its logger, with the option logGroupName: 'shop':
  winston  new CloudWatchTransport() of @logferry/winston/cloudwatch
  pino     pino.transport({ target: '@logferry/pino/cloudwatch', options })
  bunyan   cloudWatchStream() of @logferry/bunyan/cloudwatch
The page shows its counters, too, with: npm i -D @logferry/emulators, and node --import @logferry/emulators/report app.js

Ctrl-C stops the servers.
`);
  await asked;
  await close();
}

/** Makes of the server's refusal of an option the error of the flag; other errors stay. */
function usageErrorOf(error: NodeJS.ErrnoException, port: number | undefined): Error {
  const [, option, text] = /^startDev: (\w+?)s?((?:\[\d+\])?: .*)$/s.exec(error.message) ?? [];
  if (error instanceof TypeError && option !== undefined) return new UsageError(`--${option}${text}`);
  const isPort = error.code === 'EADDRINUSE' || error.code === 'EACCES';
  const remedy = 'name another, or none for the next free one';
  return isPort ? new UsageError(`--port: ${port} is not free (${error.message}): ${remedy}`) : error;
}
