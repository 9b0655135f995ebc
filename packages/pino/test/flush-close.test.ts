import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';
import { assertBalanced, type FlushOptions } from '@logferry/core';
import { MemoryDestination } from '@logferry/core/testing';
import pino from 'pino';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { close, destinationStream, flush, stats } from '../src/index.js';
import { fixture } from './support/fixtures.js';
import { end, startTransport } from './support/transport.js';

const cloud = new Worker(fixture('cloud.mjs'));
afterAll(() => cloud.terminate());
const [{ url: endpoint, env }] = await once(cloud, 'message');
const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY };
const options = { logGroupName: 'shop', endpoint, region: env.AWS_REGION, credentials };
const target = { target: '@logferry/pino/cloudwatch', options };
const silent = { target: fixture('silent-target.mjs') };

/** The messages of all stored lines that begin with a word. */
async function stored(word: string): Promise<string[]> {
  cloud.postMessage('list');
  const [lines] = (await once(cloud, 'message')) as [string[]];
  return lines.map((line) => JSON.parse(line).msg).filter((msg) => msg.startsWith(word));
}

function startPipeline(stageOptions: object, ...others: object[]) {
  const pipeline = [{ target: fixture('waiting-stage.mjs'), options: stageOptions }, target];
  return startTransport(others.length > 0 ? { targets: [{ pipeline }, ...(others as [typeof silent])] } : { pipeline });
}

describe('close() delivers, and counts, what a stage of a pipeline holds', () => {
  it.each([
    ['for a time', { lineMs: 5 }, []],
    ['until its end', { atEnd: 'all' }, []],
    ['until its end, beside another target', { atEnd: 'all' }, [silent]],
  ])('%s', async (name, stageOptions, others) => {
    const transport = startPipeline(stageOptions, ...others);
    const logger = pino(transport);
    for (let i = 0; i < 20; i++) logger.info(`${name}; ${i}`);
    const report = await close(transport);
    assertBalanced(report);
    expect(report).toMatchObject({ received: 20, delivered: 20, dropped: { closed: 0 }, pending: 0 });
    expect(await stored(`${name};`)).toHaveLength(20);
  });

  it.each([
    ['a pipeline', []],
    ['a pipeline beside another target', [silent]],
  ])('and rejects soon after timeoutMs when the stage of %s does not end', async (_, others) => {
    const transport = startPipeline({ atEnd: 'never' }, ...others);
    pino(transport).info('held');
    await once(transport, 'ready');
    const startedMs = performance.now();
    await expect(close(transport, { timeoutMs: 300 })).rejects.toMatchObject({
      message: '[logferry] close: the worker has failed at its end',
      cause: { message: 'a stage of the pipeline has not ended before the deadline, its lines are lost' },
    });
    expect(performance.now() - startedMs).toBeLessThan(3000);
  });
});

it('flush() waits without blocking, and until timeoutMs, for a stage that reads its lines slowly', async () => {
  const transport = startPipeline({ lineMs: 5 });
  // The test ends the worker, which would need 10 s to read the rest.
  transport.on('error', () => {});
  const logger = pino(transport);
  await once(transport, 'ready');
  const blocked = monitorEventLoopDelay({ resolution: 10 });
  blocked.enable();
  const startedMs = performance.now();
  // pino's worker reads no further lines until the stage takes more.
  for (const timeoutMs of [0, 0, 500]) {
    for (let i = 0; i < 1000; i++) logger.info(`slow; ${i} ${'x'.repeat(100)}`);
    assertBalanced(await flush(transport, { timeoutMs }));
  }
  expect(performance.now() - startedMs).toBeLessThan(5000);
  expect(blocked.max / 1e6).toBeLessThan(1000);
  await (transport as unknown as { worker: { terminate(): Promise<number> } }).worker.terminate();
});

it.each([
  ['flush', flush],
  ['close', close],
])('%s() of a worker without a Logferry target rejects at timeoutMs', async (_name, call) => {
  const transport = startTransport(silent);
  await once(transport, 'ready');
  const startedMs = performance.now();
  await expect(call(transport, { timeoutMs: 300 })).rejects.toThrow('no reply from the worker in');
  expect(performance.now() - startedMs).toBeLessThan(2000);
});

it('flush() after the worker has died with unread lines rejects at once, and blocks nothing', async () => {
  const transport = startTransport({ ...target, options: { ...options, hooks: fixture('exit-hooks.mjs') } });
  transport.on('error', () => {});
  const logger = pino(transport);
  logger.info('a');
  await flush(transport);
  logger.info('die');
  const blocked = monitorEventLoopDelay({ resolution: 10 });
  blocked.enable();
  for (let i = 0; i < 2; i++) {
    await expect(flush(transport, { timeoutMs: 500 })).rejects.toMatchObject({
      message: '[logferry] flush: the worker has ended',
      cause: { message: 'the worker thread exited' },
    });
  }
  expect(blocked.max / 1e6).toBeLessThan(1000);
});

describe.each([
  ['flush', flush],
  ['close', close],
])('%s()', (_name, call) => {
  it.each([
    [{ timeoutMS: 5 }, 'unknown option "timeoutMS": did you mean "timeoutMs"?'],
    [5, 'options: expected an object, got 5'],
    [null, 'options: expected an object, got null'],
    [{ timeoutMs: '5' }, 'timeoutMs: expected a number from 0 to Infinity, got "5"'],
    [{ timeoutMs: Number.NaN }, 'timeoutMs: expected a number from 0 to Infinity, got NaN'],
    [{ timeoutMs: -1 }, 'timeoutMs: expected a number from 0 to Infinity, got -1'],
  ])('refuses the options %j, of a worker and in process', async (wrong, message) => {
    const stream = destinationStream({ destination: new MemoryDestination() });
    for (const transport of [stream, startTransport(target)]) {
      await expect(call(transport, wrong as FlushOptions)).rejects.toMatchObject({
        name: 'ConfigError',
        message: `[logferry] ${message}`,
      });
    }
    await stream.close();
  });

  it('states as the cause that the transport was ended', async () => {
    const transport = startTransport(target);
    await once(transport, 'ready');
    await end(transport);
    await expect(call(transport)).rejects.toMatchObject({
      cause: { message: 'transport.end() was called, or the process ends' },
    });
  });
});

it('after close(), flush() and close() count what was logged since as closed', async () => {
  const transport = startTransport(target);
  const logger = pino(transport);
  logger.info('in time; 1');
  expect(await close(transport)).toMatchObject({ received: 1, delivered: 1, dropped: { closed: 0 } });
  const warned = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
  for (const call of [flush, close]) {
    logger.info('late');
    const report = await call(transport);
    assertBalanced(report);
    expect(report).toMatchObject({ delivered: 1, pending: 0, dropped: { closed: call === flush ? 1 : 2 } });
  }
  expect(warned).toHaveBeenCalledOnce();
  warned.mockRestore();
  await expect(stats(transport)).rejects.toThrow('the worker has ended');
});
