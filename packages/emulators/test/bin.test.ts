import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { CloudWatchLogsClient, CreateLogGroupCommand, DescribeLogGroupsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it, onTestFinished } from 'vitest';
import './helpers.js';
import { bodyOf, log, PATH } from './log-service-helpers.js';

const LogClient = createRequire(import.meta.url)('@alicloud/log');
const BIN = fileURLToPath(new URL('../bin/logferry-emulators.js', import.meta.url));

function run(...args: string[]): ChildProcess {
  const child = spawn(process.execPath, [BIN, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => {
    child.kill('SIGKILL');
  });
  return child;
}

async function finished(child: ChildProcess): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const text = { stdout: '', stderr: '' };
  child.stdout?.on('data', (chunk) => {
    text.stdout += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    text.stderr += chunk;
  });
  const [code] = await once(child, 'close');
  return { code, ...text };
}

/** The environment variables that the command prints. Reads up to the last line for CloudWatch Logs. */
async function printedEnv(child: ChildProcess): Promise<Record<string, string>> {
  const env: Record<string, string> = {};
  for await (const line of createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })) {
    const [, name, value] = /^ {2}export (\w+)=(.*)$/.exec(line) ?? [];
    if (name && value) env[name] = value;
    if (line.includes('aws logs tail')) break;
  }
  return env;
}

/** The client options and environment variables that the command prints. Reads up to the last line for Log Service. */
async function printedTarget(child: ChildProcess): Promise<Record<string, string>> {
  const target: Record<string, string> = {};
  for await (const line of createInterface({ input: child.stdout as NonNullable<typeof child.stdout> })) {
    const [, name, value] = /^ {2}(\w+): '(.*)',$/.exec(line) ?? /^ {2}export (\w+)=(.*)$/.exec(line) ?? [];
    if (name && value) target[name] = value;
    if (line.startsWith('  curl') && target.endpoint) break;
  }
  return target;
}

describe('logferry-emulators', () => {
  it.each([[], ['cloudwatch']])(
    'serves CloudWatch Logs with arguments "%s" and prints its environment variables',
    async (...args) => {
      const child = run(...args.filter(Boolean));
      const env = await printedEnv(child);
      const client = new CloudWatchLogsClient({
        endpoint: env.AWS_ENDPOINT_URL_CLOUDWATCH_LOGS ?? '',
        region: env.AWS_REGION ?? '',
        credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID ?? '', secretAccessKey: env.AWS_SECRET_ACCESS_KEY ?? '' },
      });
      await client.send(new CreateLogGroupCommand({ logGroupName: 'shop' }));
      expect((await client.send(new DescribeLogGroupsCommand())).logGroups).toMatchObject([{ logGroupName: 'shop' }]);
      client.destroy();
    },
  );

  it.each([[], ['log-service']])(
    'serves Log Service with arguments "%s" and prints its client options',
    async (...args) => {
      const { endpoint, project, logstore, region, ...env } = await printedTarget(run(...args.filter(Boolean)));
      expect({ project, logstore, region }).toEqual({ project: 'local', logstore: 'logs', region: 'us-east-1' });
      const body = bodyOf([log('first'), log('second')]);
      const headers = {
        'content-type': 'application/json',
        'x-log-apiversion': '0.6.0',
        'x-log-bodyrawsize': String(body.length),
      };
      expect(await fetch(`${endpoint}${PATH}`, { method: 'POST', headers, body })).toMatchObject({ status: 200 });
      const lines = (await (await fetch(`${endpoint}`)).text()).trim().split('\n');
      expect(lines.map((line) => JSON.parse(line).fields.message)).toEqual(['first', 'second']);
      const { ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId, ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret } = env;
      const client = new LogClient({ endpoint, accessKeyId, accessKeySecret });
      expect(await client.listLogStore('')).toMatchObject({ logstores: ['logs'] });
    },
  );

  it('refuses with --strict what it accepts without', async () => {
    for (const [args, status] of [
      [['log-service'], 200],
      [['log-service', '--strict'], 415],
    ] as const) {
      const { endpoint } = await printedTarget(run(...args));
      // fetch sends a text as text/plain, as a beacon of a browser does.
      const request = { method: 'POST', body: bodyOf([log()]) };
      expect(await fetch(`${endpoint}${PATH}?APIVersion=0.6.0`, request)).toMatchObject({ status });
    }
  });

  it('starts the second server on the port after --port', async () => {
    const { port } = new URL((await printedTarget(run('log-service'))).endpoint ?? '');
    const { code, stderr } = await finished(run('--port', String(Number(port) - 1)));
    expect(code).toBe(1);
    expect(stderr).toMatch(new RegExp(`EADDRINUSE.*:(${port}|${Number(port) - 1})`));
  });

  it.each(['SIGINT', 'SIGTERM'] as const)('exits with code 0 on %s', async (signal) => {
    const child = run();
    await printedEnv(child);
    child.kill(signal);
    expect(await once(child, 'close')).toEqual([0, null]);
  });

  it('listens on --port, and prints an error if that port is taken', async () => {
    const first = await printedEnv(run('--port', '0'));
    const { port } = new URL(first.AWS_ENDPOINT_URL_CLOUDWATCH_LOGS ?? '');
    const { code, stderr } = await finished(run('--port', port));
    expect(code).toBe(1);
    expect(stderr).toContain('EADDRINUSE');
  });

  it('prints its usage with --help', async () => {
    const { code, stdout } = await finished(run('--help'));
    expect(code).toBe(0);
    expect(stdout).toContain('Usage: logferry-emulators [server] [options]');
  });

  it.each([
    [['--port', 'x'], '--port must be a number from 0 to 65534, got: x'],
    [['--port', '65535'], '--port must be a number from 0 to 65534, got: 65535'],
    [['log-service', '--port', '65536'], '--port must be a number from 0 to 65535, got: 65536'],
    [['cloudwatch', 'log-service'], 'got: cloudwatch log-service'],
    [['teapot'], 'Expected cloudwatch, log-service or nothing, got: teapot'],
    [['--teapot'], "Unknown option '--teapot'"],
  ])('refuses %s', async (args, message) => {
    const { code, stderr } = await finished(run(...args));
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});
