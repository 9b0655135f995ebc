import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { type CloudWatchEmulator, startCloudWatch } from '@logferry/emulators';
import { close } from '@logferry/pino';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

let cloud: CloudWatchEmulator;
let folder: string;
beforeAll(async () => {
  cloud = await startCloudWatch({ strict: true });
});
afterAll(() => cloud.close());
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logferry-hooks-'));
});
afterEach(() => {
  expect(cloud.stats().violations).toEqual([]);
  rmSync(folder, { recursive: true });
});

function module(name: string, code: string): string {
  const path = join(folder, name);
  writeFileSync(path, code);
  return path;
}

function optionsOf(logGroupName: string, others: object): object {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = cloud.env;
  return { logGroupName, endpoint: cloud.url, region, credentials: { accessKeyId, secretAccessKey }, ...others };
}

const stored = (logGroupName: string): Record<string, unknown>[] =>
  cloud.events({ logGroupName }).map(({ message }) => JSON.parse(message));

const MARK = (mark: string): string =>
  `transform = (record) => record.fields.msg === 'health' ? null : { ...record, fields: { ...record.fields, mark: '${mark}' } }`;

describe('hooks of targets of pino.transport()', () => {
  it('are each target’s own, with several targets', async () => {
    const target = '@logferry/pino/cloudwatch';
    const transport = pino.transport({
      targets: [
        { target, options: optionsOf('several-a', { hooks: module('a.mjs', `export const ${MARK('a')};`) }) },
        { target, options: optionsOf('several-b', { hooks: module('b.cjs', `exports.${MARK('b')};`) }) },
      ],
    });
    const logger = pino(transport);
    for (const text of ['one', 'health', 'two']) logger.info(text);
    const report = await close(transport);
    expect(report).toMatchObject({ received: 6, delivered: 4, dropped: { filtered: 2 } });
    for (const mark of ['a', 'b'])
      expect(stored(`several-${mark}`)).toMatchObject([
        { msg: 'one', mark },
        { msg: 'two', mark },
      ]);
  });

  it('run at the end of a pipeline', async () => {
    const stage = module(
      'stage.mjs',
      `import { createRequire } from 'node:module';
      const build = createRequire(${JSON.stringify(import.meta.url)})('pino-abstract-transport');
      export default () => build(async function* (source) {
        for await (const line of source) yield JSON.stringify({ ...line, staged: true }) + '\\n';
      }, { enablePipelining: true });`,
    );
    const hooks = module('end.mjs', `export const ${MARK('end')};`);
    const transport = pino.transport({
      pipeline: [{ target: stage }, { target: '@logferry/pino/cloudwatch', options: optionsOf('pipeline', { hooks }) }],
    });
    pino(transport).info('staged');
    await close(transport);
    expect(stored('pipeline')).toMatchObject([{ msg: 'staged', staged: true, mark: 'end' }]);
  });

  it('name routes, give credentials, and are told of losses', async () => {
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = cloud.env;
    const told = join(folder, 'told');
    const hooks = module(
      'all.mjs',
      `import { appendFileSync } from 'node:fs';
      export const route = ({ fields }) => ({ logStreamName: 'of ' + fields.tenant });
      export const credentials = async () => (${JSON.stringify({ accessKeyId, secretAccessKey })});
      export const onDrop = ({ reason, records }) => appendFileSync(${JSON.stringify(told)}, reason + ' ' + records);`,
    );
    const options = optionsOf('all', { credentials: undefined, hooks, oversize: 'drop', maxEventBytes: 300 });
    const transport = pino.transport({ target: '@logferry/pino/cloudwatch', options });
    const logger = pino(transport);
    logger.info({ tenant: 'acme' }, 'x');
    logger.info({ tenant: 'acme' }, 'long '.repeat(100));
    expect((await close(transport)).dropped['too-large']).toBe(1);
    expect(cloud.events({ logGroupName: 'all' }).map(({ logStreamName }) => logStreamName)).toEqual(['of acme']);
    const { stdout } = await promisify(execFile)('cat', [told]);
    expect(stdout).toBe('too-large 1');
  });

  it.each<[what: string, code: string | undefined, message: RegExp]>([
    ['is missing', undefined, /hooks: expected the path or the file: URL of a module \(there is no /],
    ['throws', 'throw new Error("mine")', /cannot be loaded: mine/],
    ['exports none of them', 'export const other = 7', /exports none of onError/],
  ])('are an error at start if the module %s', async (_what, code, message) => {
    const hooks = code === undefined ? join(folder, 'none.mjs') : module('wrong.mjs', code);
    const transport = pino.transport({ target: '@logferry/pino/cloudwatch', options: optionsOf('wrong', { hooks }) });
    const [error] = await once(transport, 'error');
    expect((error as Error).message).toMatch(message);
  });
});

it('the example of redaction ships no secret', async () => {
  const example = fileURLToPath(new URL('../examples/redaction/index.js', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [example], {
    env: { ...process.env, ...cloud.env },
  });
  expect(stderr).toBe('');
  expect(JSON.parse(stdout)).toMatchObject({ received: 300, delivered: 100, dropped: { filtered: 100, sampled: 100 } });
  const events = stored('shop');
  expect(events).toHaveLength(100);
  expect(events[0]).toMatchObject({ path: '/orders', version: '1.4.0', user: { id: 7, token: '[Redacted]' } });
  expect(JSON.stringify(events)).not.toContain('secret');
});

it('an application in TypeScript has its hooks in TypeScript, under tsx', async () => {
  const near = mkdtempSync(fileURLToPath(new URL('tsx-', import.meta.url)));
  try {
    writeFileSync(
      join(near, 'hooks.ts'),
      `import type { ShippedRecord } from '@logferry/core';
      export const transform = (record: ShippedRecord): ShippedRecord => ({ ...record, fields: { ...record.fields, typed: true } });`,
    );
    writeFileSync(
      join(near, 'app.ts'),
      `import { close } from '@logferry/pino';
      import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
      import pino from 'pino';
      import winston from 'winston';
      const hooks: string = new URL('hooks.ts', import.meta.url).href;
      const worker = { execArgv: process.execArgv };
      const transport = pino.transport({ target: '@logferry/pino/cloudwatch', options: { logGroupName: 'tsx', hooks }, worker });
      pino(transport).info('pino');
      await close(transport);
      const startedMs = performance.now();
      const cloud = new CloudWatchTransport({ logGroupName: 'tsx', hooks, thread: true });
      if (performance.now() - startedMs > 1900) throw new Error('the constructor waited for the worker');
      winston.createLogger({ transports: [cloud] }).info('winston');
      await cloud.close();`,
    );
    const child = spawn(process.execPath, ['--import', 'tsx', join(near, 'app.ts')], {
      env: { ...process.env, ...cloud.env },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stored('tsx')).toMatchObject([
      { msg: 'pino', typed: true },
      { message: 'winston', typed: true },
    ]);
  } finally {
    rmSync(near, { recursive: true });
  }
});
