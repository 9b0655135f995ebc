import { once } from 'node:events';
import { createRequire } from 'node:module';
import { type CloudWatchEmulator, startCloudWatch } from '@logferry/emulators';
import { diag } from '@opentelemetry/api';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { observeLogferry } from '../src/index.js';
import { type Collecting, startCollecting } from './support/collecting.js';

let cloudWatch: CloudWatchEmulator;
let collecting: Collecting;

beforeAll(async () => {
  cloudWatch = await startCloudWatch({ strict: true });
});
afterAll(() => cloudWatch.close());
beforeEach(() => {
  collecting = startCollecting();
});
afterEach(() => collecting.meterProvider.shutdown());

/** The records that were handed to the transports of this process, by one collection. */
async function received({ collect } = collecting): Promise<number> {
  return (await collect())['logferry.records.received']?.cloudwatch ?? 0;
}

/** A worker of pino that has shipped some records. */
async function workerWith(count: number) {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = cloudWatch.env;
  const credentials = { accessKeyId, secretAccessKey };
  const options = { logGroupName: 'shop', region, endpoint: cloudWatch.url, credentials };
  const transport = pino.transport({ target: '@logferry/pino/cloudwatch', options });
  endAfterTest(transport);
  const logger = pino(transport);
  for (let index = 0; index < count; index++) logger.info('one');
  await new Promise<void>((resolve) => logger.flush(() => resolve()));
  return transport;
}

function endAfterTest(transport: ReturnType<typeof pino.transport>): void {
  onTestFinished(async () => {
    const over = once(transport, 'close');
    transport.end();
    await over;
  });
}

function observe(observeWith = observeLogferry, { meterProvider } = collecting) {
  const observed = observeWith({ meterProvider });
  onTestFinished(() => observed.stop());
  return observed;
}

describe('several observers', () => {
  it('of one meter provider count each record once in every collection, whichever of them has added its worker', async () => {
    const before = observe();
    const start = await received();
    before.observe(await workerWith(2));
    observe().observe(await workerWith(30));
    for (let round = 0; round < 3; round++) expect(await received()).toBe(start + 32);
  });

  it('of two meter providers export the same', async () => {
    const other = startCollecting();
    onTestFinished(() => other.meterProvider.shutdown());
    const [first, second] = [observe(), observe(observeLogferry, other)];
    const start = await received();
    first.observe(await workerWith(2));
    second.observe(await workerWith(30));
    for (const each of [collecting, other]) expect(await received(each)).toBe(start + 32);
  });

  it('of the CommonJS and the ES module copy of the package count each record once in every collection', async () => {
    const copy: { readonly observeLogferry: typeof observeLogferry } = createRequire(import.meta.url)('@logferry/otel');
    expect(copy.observeLogferry).not.toBe(observeLogferry);
    const [ours, theirs] = [observe(), observe(copy.observeLogferry)];
    const start = await received();
    ours.observe(await workerWith(2));
    theirs.observe(await workerWith(30));
    for (let round = 0; round < 3; round++) expect(await received()).toBe(start + 32);
    ours.stop();
    expect(await received()).toBe(start + 32);
  });

  it('stop one by one: no counter goes down with the first, nor in an observation that begins after the last', async () => {
    const [first, second] = [observe(), observe()];
    const start = await received();
    first.observe(await workerWith(2));
    second.observe(await workerWith(30));
    first.stop();
    first.stop();
    expect(await received()).toBe(start + 32);
    second.stop();
    const next = startCollecting();
    onTestFinished(() => next.meterProvider.shutdown());
    observe(observeLogferry, next);
    expect(await received(next)).toBe(start + 32);
  });
});

it('a worker without a target of Logferry holds one collection for about a second, is told once, and is asked no more', async () => {
  const told = vi.fn();
  diag.setLogger({ warn: told, error: told, info() {}, debug() {}, verbose() {} });
  onTestFinished(() => diag.disable());
  const observed = observe();
  const start = await received();
  const stranger = pino.transport({ target: 'pino/file', options: { destination: '/dev/null' } });
  endAfterTest(stranger);
  observed.observe(stranger);
  const beforeMs = performance.now();
  for (let round = 0; round < 5; round++) expect(await received()).toBe(start);
  expect(performance.now() - beforeMs).toBeLessThan(4000);
  await expect.poll(() => told.mock.calls, { timeout: 10_000 }).toHaveLength(1);
  expect(told).toHaveBeenCalledWith(
    expect.stringMatching(/a worker thread does not reply; has its transport a target of Logferry\?/),
    expect.any(Error),
  );
  const toldMs = performance.now();
  for (let round = 0; round < 5; round++) await received();
  expect(performance.now() - toldMs).toBeLessThan(4000);
  expect(told).toHaveBeenCalledOnce();
});
