#!/usr/bin/env node
import { parseArgs } from 'node:util';
import { startCloudWatch, startLogService } from '../dist/esm/index.js';

const HELP = `Starts strict local servers for tests and demos and keeps them running until Ctrl-C.

Usage: logferry-emulators [server] [options]

Servers (default: all of them):
  cloudwatch     Amazon CloudWatch Logs
  log-service    Alibaba Cloud Log Service: web tracking, and signed requests

Options:
  --port <n>     port of the first server; the second takes the next port; default: free ports
  --host <name>  address to listen on; default: 127.0.0.1
  --strict       refuse what the documentation forbids, and the services accept
  --help         show this text
`;

/** The start function of each server, and the function that describes the running server. */
const SERVERS = {
  cloudwatch: { start: startCloudWatch, describe: describeCloudWatch },
  'log-service': { start: startLogService, describe: describeLogService },
};

function describeCloudWatch({ url, env }) {
  return `CloudWatch Logs is listening on ${url}

Environment variables for your program:
${Object.entries(env)
  .map(([name, value]) => `  export ${name}=${value}`)
  .join('\n')}

Read events, one JSON object per line:
  curl ${url}

Read events with the AWS CLI and the same variables:
  aws logs filter-log-events --log-group-name GROUP
  aws logs tail GROUP --follow
`;
}

function describeLogService({ url, target, region, env }) {
  return `Log Service is listening on ${url}

Client options:
${Object.entries({ ...target, region })
  .map(([name, value]) => `  ${name}: '${value}',`)
  .join('\n')}

Environment variables of a client that signs its requests (web tracking needs neither these nor the region):
${Object.entries(env)
  .map(([name, value]) => `  export ${name}=${value}`)
  .join('\n')}

Read logs, one JSON object per line:
  curl ${url}
`;
}

async function main() {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      port: { type: 'string' },
      host: { type: 'string' },
      strict: { type: 'boolean', default: false },
      help: { type: 'boolean' },
    },
  });
  if (values.help) {
    console.log(HELP);
    return;
  }
  const known = Object.keys(SERVERS);
  if (positionals.length > 1 || !positionals.every((name) => known.includes(name))) {
    throw new Error(`Expected ${known.join(', ')} or nothing, got: ${positionals.join(' ')}`);
  }
  const names = positionals.length > 0 ? positionals : known;
  const port = Number(values.port ?? 0);
  const maxPort = 65_536 - names.length;
  if (!Number.isInteger(port) || port < 0 || port > maxPort) {
    throw new Error(`--port must be a number from 0 to ${maxPort}, got: ${values.port}`);
  }
  const servers = [];
  const close = () => Promise.all(servers.map((server) => server.close()));
  const descriptions = [];
  try {
    for (const [index, name] of names.entries()) {
      const { start, describe } = SERVERS[name];
      const { host = '127.0.0.1', strict } = values;
      const server = await start({ port: port && port + index, host, strict });
      servers.push(server);
      descriptions.push(describe(server));
    }
  } catch (error) {
    await close();
    throw error;
  }
  // Before the output, because its reader may send a signal at once.
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, close);
  console.log(descriptions.join('\n'));
}

main().catch((error) => {
  console.error(`logferry-emulators: ${error.message}`);
  process.exitCode = 1;
});
