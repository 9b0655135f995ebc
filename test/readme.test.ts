import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
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
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { full } from '../forms.js';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Examples run as in a container, where only localhost has a name. */
const noNames = `--require ${JSON.stringify(`${root}test/support/no-names.cjs`)}`;
const FENCE = /```js\n([\s\S]*?)```/g;

/** Complete examples begin with an import. Others are fragments. */
const examples = ['README.md', 'docs/spool.md', 'docs/redaction.md', ...readmes()].flatMap((file) =>
  [...readFileSync(root + file, 'utf8').matchAll(FENCE)]
    .map(([, code = '']) => ({ file, code }))
    .filter(({ code }) => code.startsWith('import '))
    .map((example, index) => ({ ...example, number: index + 1 })),
);

describe('the examples of the documentation run unchanged', () => {
  let cloudWatch: CloudWatchEmulator;
  let logService: LogServiceEmulator;
  beforeAll(async () => {
    cloudWatch = await startCloudWatch({ strict: true });
    logService = await startLogService({ strict: true });
  });
  afterAll(async () => {
    await cloudWatch.close();
    await logService.close();
  });
  const stored = (): number => cloudWatch.events().length + logService.events().length;

  it('finds the examples of all pages', () => {
    expect(new Set(examples.map(({ file }) => file)).size).toBe(11);
  });

  it.each(examples)('$file, example $number', async ({ code }) => {
    const before = stored();
    const { endpoint, project, logstore } = logService.target;
    const directory = mkdtempSync(join(tmpdir(), 'logferry-readme-'));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    const target = {
      SLS_ENDPOINT: endpoint,
      SLS_PROJECT: project,
      SLS_LOGSTORE: logstore,
      SPOOL_DIRECTORY: directory,
      OTEL_EXPORTER_PROMETHEUS_PORT: String(await freePort()),
    };
    const keys = { ...cloudWatch.env, ...logService.env };
    const env = { ...process.env, ...keys, ...target, NODE_OPTIONS: noNames };
    await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', code], { cwd: `${root}test`, env });
    expect([...cloudWatch.stats().violations, ...logService.stats().violations]).toEqual([]);
    if (/logGroupName: 'shop'|SLS_/.test(code) && /\.(info|accept)\(/.test(code))
      expect(stored()).toBeGreaterThan(before);
  });
});

it.runIf(full)(
  'the demo of the first lines runs to its end in a container, where only localhost has a name',
  async () => {
    const env = { ...process.env, NODE_OPTIONS: noNames };
    const { stdout } = await promisify(execFile)(process.execPath, [`${root}examples/demo/main.js`], { env });
    expect(stdout).toContain('every ledger adds up, nothing is missing');
    expect(stdout.match(/https?:\/\/[^\s/]+/g)?.filter((url) => !url.startsWith('http://127.0.0.1:'))).toEqual([]);
  },
);

it.runIf(full)('metrics-and-traces: records of each framework have the ids of their span in both clouds', async () => {
  const cloudWatch = await startCloudWatch({ strict: true });
  const logService = await startLogService({ strict: true });
  onTestFinished(async () => {
    await cloudWatch.close();
    await logService.close();
  });
  const { endpoint, project, logstore } = logService.target;
  const xrayRoot = '1-5759e988-bd862e3fe1be46a994272793';
  const env = {
    ...process.env,
    ...cloudWatch.env,
    SLS_ENDPOINT: endpoint,
    SLS_PROJECT: project,
    SLS_LOGSTORE: logstore,
    OTEL_EXPORTER_PROMETHEUS_PORT: String(await freePort()),
    _X_AMZN_TRACE_ID: `Root=${xrayRoot};Parent=53995c3f42cd8ad8;Sampled=1`,
  };
  const cwd = `${root}examples/metrics-and-traces`;
  const { stdout } = await promisify(execFile)(process.execPath, ['index.js'], { cwd, env });
  expect(stdout).toContain('logferry_records_delivered_total{logferry_destination="cloudwatch"');
  const [, traceId] = /^trace_id (\w{32})$/m.exec(stdout) ?? [];
  const stored = [
    ...cloudWatch.events().map(({ message, logStreamName }) => [`to ${logStreamName}`, JSON.parse(message)]),
    ...logService.events().map(({ fields, source }) => [`to ${source}`, fields]),
  ].map(([where, fields]) => ({ where, text: fields.msg ?? fields.message, ...fields }));
  expect(stored).toHaveLength(12);
  const ids = (text: string) =>
    stored
      .filter((record) => record.text === text)
      .map(({ trace_id, span_id, xray_trace_id }) => ({ trace_id, span_id, xray_trace_id }));
  const [{ span_id: spanId } = { span_id: '' }] = ids('order paid');
  expect(spanId).toMatch(/^\w{16}$/);
  expect(ids('order paid')).toEqual(Array(6).fill({ trace_id: traceId, span_id: spanId, xray_trace_id: xrayRoot }));
  expect(stored.filter(({ text }) => text === 'shop opens').filter((record) => 'trace_id' in record)).toEqual([]);
  expect([...cloudWatch.stats().violations, ...logService.stats().violations]).toEqual([]);
});

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      server.close(() => resolve(port));
    });
  });
}

function readmes(): string[] {
  return ['core', 'cloudwatch', 'log-service', 'winston', 'pino', 'bunyan', 'otel', 'emulators'].map(
    (name) => `packages/${name}/README.md`,
  );
}
