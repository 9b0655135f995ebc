import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { startCloudWatch, startLogService } from '@logferry/emulators';
import { expect, it, onTestFinished } from 'vitest';
import { full } from '../forms.js';
import { freePort } from './support/free-port.js';

const root = fileURLToPath(new URL('..', import.meta.url));
/** Examples run as in a container, where only localhost has a name. */
const noNames = `--require ${JSON.stringify(`${root}test/support/no-names.cjs`)}`;

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
