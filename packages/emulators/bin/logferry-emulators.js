#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { startCloudWatch } from '../dist/esm/index.js';

const HELP = `Starts a strict local server for tests and demos and keeps it running until Ctrl-C.

Usage: logferry-emulators [server] [options]

Servers:
  cloudwatch     Amazon CloudWatch Logs (default)

Options:
  --port <n>     port to listen on; default: a free one
  --host <name>  address to listen on; default: 127.0.0.1
  --help         show this text
`;

/** By name: what starts a server, and what is said of it once it runs. */
const SERVERS = { cloudwatch: { start: startCloudWatch, describe: describeCloudWatch } };

function describeCloudWatch({ url, env }) {
  return `CloudWatch Logs is listening on ${url}

Point your program to it:
${Object.entries(env)
  .map(([name, value]) => `  export ${name}=${value}`)
  .join('\n')}

Read events back with the AWS CLI and the same variables:
  aws logs filter-log-events --log-group-name GROUP
  aws logs tail GROUP --follow
`;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { port: { type: 'string' }, host: { type: 'string' }, help: { type: 'boolean' } },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const [name = 'cloudwatch', ...rest] = positionals;
  if (!Object.hasOwn(SERVERS, name) || rest.length > 0) {
    throw new Error(`Expected one server of ${Object.keys(SERVERS).join(', ')}, got: ${positionals.join(' ')}`);
  }
  const port = Number(values.port ?? 0);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) {
    throw new Error(`--port must be a number from 0 to 65535, got: ${values.port}`);
  }
  const { start, describe } = SERVERS[name];
  const server = await start({ port, ...(values.host && { host: values.host }) });
  // Before anything is printed: whoever reads it may end this process at once.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => server.close());
  console.log(describe(server));
}

main().catch((error) => {
  console.error(`logferry-emulators: ${error.message}`);
  process.exitCode = 1;
});
