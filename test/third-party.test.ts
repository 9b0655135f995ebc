import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { assertBalanced, createShipper, type Destination, type LogRecord } from '@logferry/core';
import { destinationContract } from '@logferry/core/testing';
import { afterAll, beforeAll, describe, expect, it, onTestFinished, test } from 'vitest';
import { startLoki } from './support/loki.js';

const pages = ['writing-a-destination', 'writing-an-adapter']
  .map((name) => readFileSync(new URL(`../docs/${name}.md`, import.meta.url), 'utf8'))
  .join('');

/** The code in the pages on destinations and adapters as files of a third party, by the name of the file. */
const files = {
  'loki.mjs': codeWith('export function createLoki'),
  'sink.mjs': codeWith('export function createSink'),
  'loki.test.mjs': codeWith('// loki.test.mjs'),
  'sink.test.mjs': codeWith('// sink.test.mjs'),
};

function codeWith(text: string): string {
  const blocks = [...pages.matchAll(/```js\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  const found = blocks.filter((code) => code.includes(text));
  if (found.length !== 1) throw new Error(`${found.length} examples have ${text}`);
  return found[0] as string;
}

let folder: string;
let createLoki: (options: object) => Destination;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'logferry-third-party-'));
  symlinkSync(new URL('../node_modules', import.meta.url), join(folder, 'node_modules'));
  for (const [name, code] of Object.entries(files)) writeFileSync(join(folder, name), code);
  ({ createLoki } = await import(pathToFileURL(join(folder, 'loki.mjs')).href));
});
afterAll(() => rmSync(folder, { recursive: true }));

const labels = { app: 'shop', env: 'test' };

function record(text: string, level = 'info'): LogRecord {
  return { time: Date.now(), level, urgent: false, text, fields: {} };
}

describe('the Loki destination of the documentation', () => {
  destinationContract(
    { test, assert },
    {
      name: 'Loki',
      createAt: (url) => createLoki({ url, labels }),
      // Loki's own success is an empty 204.
      foreignAnswers: ['an empty 200', '{"status":"healthy"}', 'OK', 'a page'],
      async start() {
        const loki = await startLoki();
        return { ...loki, create: () => createLoki({ url: loki.url, labels }) };
      },
    },
  );

  async function start(options: Parameters<typeof startLoki>[0] = {}) {
    const loki = await startLoki(options);
    onTestFinished(() => void loki.close());
    return { loki, destination: createLoki({ url: loki.url, labels }) };
  }

  it('has a stream for each level, and times in nanoseconds', async () => {
    const { loki, destination } = await start();
    const shipper = createShipper(destination);
    const records = [record('paid'), record('late', 'warn')];
    for (const each of records) shipper.accept(each);
    await shipper.close();
    expect(loki.lines()).toEqual(
      records.map(({ text, level, time }) => ({ labels: { ...labels, level }, time: `${time}000000`, line: text })),
    );
  });

  it('passes the Retry-After of Loki to the core', async () => {
    const { loki, destination } = await start({ retryAfterSeconds: 7 });
    loki.fail('throttle');
    const batch = { route: '{}', events: [], bytes: 0 };
    await expect(destination.send(batch, new AbortController().signal)).rejects.toMatchObject({
      code: 'THROTTLED',
      retryAfterMs: 7000,
    });
  });

  it('isolates a line that Loki refuses', async () => {
    const { loki, destination } = await start();
    const shipper = createShipper(destination, { onDrop: () => {}, onError: () => {} });
    for (let index = 0; index < 100; index++) shipper.accept(record(String(index)));
    shipper.accept({ ...record('from the future'), time: Date.now() + 3_600_000 });
    expect(await shipper.close()).toMatchObject({ delivered: 100, dropped: { invalid: 1 } });
    expect(loki.texts()).toHaveLength(100);
    expect(loki.texts()).not.toContain('from the future');
  });

  it('ships from a worker thread', async () => {
    const { loki, destination } = await start();
    const shipper = createShipper(destination, { thread: true });
    const texts = Array.from({ length: 1000 }, (_, index) => `line ${index} 世界`);
    for (const text of texts) shipper.accept(record(text));
    const report = await shipper.close();
    assertBalanced(report);
    expect(report).toMatchObject({ received: 1000, delivered: 1000 });
    expect(loki.texts()).toEqual(texts);
    expect(loki.violations()).toEqual([]);
  });
});

it.each([
  ['loki.test.mjs', 24],
  ['sink.test.mjs', 28],
])('%s of the documentation passes under node --test', async (name, tests) => {
  // With this variable node --test would report to the test run of another process.
  const { NODE_TEST_CONTEXT, ...env } = process.env;
  const args = ['--test', '--test-reporter=tap', join(folder, name)];
  const { stdout } = await promisify(execFile)(process.execPath, args, { env });
  expect(stdout).toContain(`\n# pass ${tests}\n`);
});
