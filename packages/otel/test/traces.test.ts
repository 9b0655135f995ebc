import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import {
  type CloudWatchEmulator,
  type LogServiceEmulator,
  startCloudWatch,
  startLogService,
} from '@logferry/emulators';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { full } from '../../../forms.js';

interface Span {
  readonly name: string;
  readonly scope: string;
  readonly traceId: string;
  readonly spanId: string;
}

const children = fileURLToPath(new URL('children/', import.meta.url));

describe.runIf(full).each([
  ['app.cjs', ['--require', join(children, 'tracing.cjs')]],
  ['app.mjs', ['--import', join(children, 'hooks.mjs'), '--require', join(children, 'tracing.cjs')]],
])('in %s, which OpenTelemetry instruments, in all its threads', (app, preload) => {
  let cloudWatch: CloudWatchEmulator;
  let logService: LogServiceEmulator;
  let folder: string;
  let spans: readonly Span[];
  const servers: Server[] = [];
  /** Headers of the requests to CloudWatch Logs, and to the server of the application. */
  const requests: IncomingHttpHeaders[] = [];

  /** Passes requests on, and notes them. */
  async function listen(to?: string): Promise<string> {
    const server = createServer((incoming, outgoing) => {
      const { method, headers, url = '' } = incoming;
      requests.push(headers);
      if (!to) outgoing.end();
      else
        incoming.pipe(
          request(to + url, { method, headers }, (response) => {
            outgoing.writeHead(response.statusCode ?? 0, response.headers);
            response.pipe(outgoing);
          }),
        );
    });
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `http://localhost:${(server.address() as AddressInfo).port}`;
  }

  beforeAll(async () => {
    cloudWatch = await startCloudWatch({ strict: true });
    logService = await startLogService({ strict: true });
    folder = mkdtempSync(join(tmpdir(), 'logferry-otel-'));
    const file = join(folder, 'spans');
    const env = {
      ...process.env,
      ...cloudWatch.env,
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: await listen(cloudWatch.url),
      LOG_SERVICE: JSON.stringify(logService.target),
      CONTROL_URL: await listen(),
      SPANS: file,
    };
    const { stderr } = await promisify(execFile)(process.execPath, [...preload, join(children, app)], { env });
    expect(stderr).toBe('');
    spans = readFileSync(file, 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
  });
  afterAll(async () => {
    for (const server of servers) server.close().closeAllConnections();
    rmSync(folder, { recursive: true, force: true });
    await cloudWatch.close();
    await logService.close();
  });

  it('requests of transports make no spans, and those of the application do', () => {
    const names = spans.map(({ name, scope }) => `${scope}: ${name}`);
    expect(names.filter((name) => !name.startsWith('instrumentation-dns')).sort()).toEqual([
      'app: request',
      'instrumentation-aws-sdk: CloudWatchLogs.DescribeLogGroups',
      'instrumentation-http: GET',
      'instrumentation-http: POST',
      'instrumentation-undici: GET',
    ]);
    expect(names).toContain('instrumentation-dns: dns.lookup');
    const [{ traceId } = { traceId: '' }] = spans;
    expect(spans.filter((span) => span.traceId !== traceId)).toEqual([]);
  });

  it('requests of transports carry no trace context, and those of the application do', () => {
    const isOurs = ({ 'x-amz-target': target = '' }: IncomingHttpHeaders): boolean =>
      /(PutLogEvents|Create\w+)$/.test(String(target));
    const traced = requests.filter(({ traceparent }) => traceparent !== undefined);
    expect(requests.filter(isOurs).length).toBeGreaterThan(10);
    expect(traced.filter(isOurs)).toEqual([]);
    expect(traced).toHaveLength(3);
  });

  it('the ids that instrumentations put into records of winston and pino arrive in both clouds', () => {
    const { traceId, spanId } = spans.find(({ scope }) => scope === 'app') as Span;
    const records = [
      ...cloudWatch.events().map(({ logStreamName, message }) => ({ where: logStreamName, ...JSON.parse(message) })),
      ...logService.events().map(({ source, fields }) => ({ where: `${source} to Log Service`, ...fields })),
    ];
    const withIds = records.filter(({ trace_id, span_id }) => trace_id === traceId && span_id === spanId);
    expect(withIds.map(({ where }) => where).sort()).toEqual([
      'pino',
      'pino to Log Service',
      'winston',
      'winston to Log Service',
      'winston-client',
      'winston-thread',
    ]);
    expect(records).toHaveLength(8);
  });
});
