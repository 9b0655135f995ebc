import { once } from 'node:events';
import { SHARE_ENV } from 'node:worker_threads';
import { assertBalanced } from '@logferry/core';
import { startCloudWatch, startLogService } from '@logferry/emulators';
import pino from 'pino';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { full } from '../../../forms.js';
import { stats } from '../src/index.js';
import { fixture, linesOf, newFile, runApp } from './support/fixtures.js';
import { end, flush, startTransport, transportOf } from './support/transport.js';

const target = fixture('file-target.mjs');

const endings = ['natural end', 'process.exit()', 'an uncaught exception', 'stream.end()'];
/** The endings take turns in the short form. */
const inTurn = (...turn: readonly number[]): readonly string[] =>
  endings.filter((_, index) => full || turn.includes(index));

describe('a third party’s target', () => {
  it.each(inTurn(0, 1))('delivers 1,000 of 1,000 at %s', async (ending) => {
    const file = newFile();
    await runApp({ transport: { target, options: { file } }, ending });
    expect(linesOf(file)).toHaveLength(1000);
  });

  it.each(inTurn(2))('delivers 1,000 of 1,000 after a pipeline stage at %s', async (ending) => {
    const file = newFile();
    const pipeline = [{ target: fixture('upper-case-stage.mjs') }, { target, options: { file } }];
    await runApp({ transport: { pipeline }, ending });
    const lines = linesOf(file).map((line) => JSON.parse(line).msg);
    expect(lines).toEqual(Array(1000).fill('A LINE'));
  });

  it.each(inTurn(3))('delivers 1,000 of 1,000 to each of several targets at %s', async (ending) => {
    const [first, second] = [newFile(), newFile()];
    const targets = [
      { target, options: { file: first } },
      { pipeline: [{ target: fixture('upper-case-stage.mjs') }, { target, options: { file: second } }] },
    ];
    await runApp({ transport: { targets }, ending });
    expect(linesOf(first)).toHaveLength(1000);
    expect(linesOf(second)).toHaveLength(1000);
  });

  it('delivers at process.exit() even before the worker has started', async () => {
    const file = newFile();
    await runApp({ transport: { target, options: { file, startMs: 500 } }, ending: 'process.exit()' });
    expect(linesOf(file)).toHaveLength(1000);
  });

  it('gives up within the 10 s that pino allows, also with a longer closeTimeoutMs, and reports the losses', async () => {
    const options = { file: newFile(), response: 'hang', closeTimeoutMs: 60_000 };
    const { exitCode, stderr } = await runApp({ transport: { target, options }, ending: 'process.exit()' });
    expect(exitCode).toBe(0);
    expect(stderr).toContain('[logferry] file: 1000 records lost (undeliverable 1000)');
    expect(stderr).not.toContain('took too long');
  });
});

describe('logger.flush()', () => {
  const retry = { maxAgeMs: 7_200_000 };

  it('calls back after delivery, also when nothing else is going on', async () => {
    const file = newFile();
    const options = { file, maxDelayMs: 3_600_000, retry };
    const { stdout } = await runApp({ transport: { target, options }, ending: 'flush, then SIGKILL' });
    expect(stdout).toBe('flushed\n');
    expect(linesOf(file)).toHaveLength(1000);
  });

  it('calls back without an error at closeTimeoutMs when the service hangs', async () => {
    const options = { file: newFile(), response: 'hang', closeTimeoutMs: 100 };
    const { stdout, durationMs } = await runApp({ transport: { target, options }, ending: 'flush, then SIGKILL' });
    expect(stdout).toBe('flushed\n');
    // pino may take 10 s to notice that its buffer is empty; a request takes 30 s to time out.
    expect(durationMs).toBeLessThan(20_000);
  });

  it('calls back at once for a pipeline or several targets: pino does not pass it on', async () => {
    const file = newFile();
    const options = { file, maxDelayMs: 3_600_000, retry };
    for (const transport of [
      { pipeline: [{ target, options }] },
      {
        targets: [
          { target, options },
          { target, options },
        ],
      },
    ]) {
      const { stdout } = await runApp({ transport, lines: 10, ending: 'flush, then SIGKILL' });
      expect(stdout).toBe('flushed\n');
      expect(linesOf(file)).toEqual([]);
    }
  });
});

describe('stats()', () => {
  it('reads the counters of the worker, also while it starts', async () => {
    const transport = startTransport({ target, options: { file: newFile(), startMs: 200 } });
    const logger = pino(transport);
    logger.info('a');
    logger.info('b');
    const early = await stats(transport);
    assertBalanced(early);
    await flush(logger);
    expect(await stats(transport)).toMatchObject({ received: 2, delivered: 2, pending: 0, retries: {} });
  });

  it('resolves before the first line', async () => {
    const transport = startTransport({ target, options: { file: newFile() } });
    expect(await stats(transport)).toMatchObject({ received: 0, concurrency: 4 });
  });

  it('adds up all streams in the worker', async () => {
    const options = { file: newFile(), retry: { capMs: 50 } };
    const transport = startTransport({
      targets: [
        { target, options },
        { target, options: { ...options, response: 'down', maxDelayMs: 0, closeTimeoutMs: 0 }, level: 'error' },
        { pipeline: [{ target: fixture('upper-case-stage.mjs') }, { target, options }] },
      ],
    });
    const logger = pino(transport);
    for (let i = 0; i < 10; i++) logger.info('x');
    logger.error('y');
    const total = await vi.waitUntil(
      async () => {
        const now = await stats(transport);
        return now.delivered === 22 && (now.retries.UNAVAILABLE ?? 0) > 2 && now;
      },
      { timeout: 10_000 },
    );
    assertBalanced(total);
    // One of the three is in an outage.
    expect(total).toMatchObject({ received: 23, pending: 1, concurrency: 9, lastError: { code: 'UNAVAILABLE' } });
  });

  it('does not mix up workers', async () => {
    const one = startTransport({ target, options: { file: newFile() } });
    const other = startTransport({ target, options: { file: newFile() } });
    pino(one).info('x');
    await flush(one);
    expect((await stats(one)).received).toBe(1);
    expect((await stats(other)).received).toBe(0);
  });

  it('finds the transport behind a logger', async () => {
    const logger = pino({ transport: { target, options: { file: newFile() } } });
    expect((await stats(transportOf(logger))).received).toBe(0);
  });

  it('rejects when the worker cannot start', async () => {
    const transport = pino.transport({ target, options: { file: newFile(), concurency: 1 } });
    const failed = once(transport, 'error');
    await expect(stats(transport)).rejects.toThrow('[logferry] stats: the worker has ended');
    expect(((await failed) as Error[])[0]?.message).toBe(
      '[logferry] unknown option "concurency": did you mean "concurrency"?',
    );
  });

  it('rejects when the worker has ended', async () => {
    const transport = startTransport({ target, options: { file: newFile() } });
    await once(transport, 'ready');
    await end(transport);
    await expect(stats(transport)).rejects.toThrow('[logferry] stats: the worker has ended');
  });

  it('rejects after 5 s without a reply', async () => {
    const transport = startTransport({ target: fixture('silent-target.mjs') });
    await once(transport, 'ready');
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const reply = stats(transport);
    vi.advanceTimersByTime(5000);
    vi.useRealTimers();
    await expect(reply).rejects.toThrow('[logferry] stats: no reply from the worker in 5000 ms');
  });

  it('refuses an object that is not a transport', async () => {
    await expect(stats(process)).rejects.toThrow('[logferry] transport: expected what pino.transport() returned');
  });
});

it('refuses functions in options of a worker: pino throws a DataCloneError', () => {
  const options = { file: newFile(), onError: () => {} };
  expect(() => pino.transport({ target, options })).toThrow(expect.objectContaining({ name: 'DataCloneError' }));
});

it('a line of 30 MB with a level is one record in the worker, of its level, and shortened as others are', async () => {
  const [cloudWatch, logService] = [await startCloudWatch({ strict: true }), await startLogService({ strict: true })];
  const { url: endpoint, env } = cloudWatch;
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY };
  const own = { logGroupName: 'long', endpoint, region: env.AWS_REGION, credentials, level: 'warn' };
  const targets = [
    { target: '@logferry/pino/cloudwatch', options: own },
    { target: '@logferry/pino/log-service', options: { ...logService.target, level: 'warn' } },
  ];
  for (const target of targets) {
    const transport = startTransport(target);
    const logger = pino(transport);
    logger.error({ stack: 'x'.repeat(30_000_000), orderId: 'A-17' }, 'failed');
    logger.info('left out');
    await flush(logger);
    expect(await stats(transport)).toMatchObject({ received: 1, delivered: 1, pending: 0 });
  }
  const messages = cloudWatch.events({ logGroupName: 'long' }).map(({ message }) => JSON.parse(message));
  expect(messages).toMatchObject([{ level: 50, orderId: 'A-17', msg: 'failed', logferry: {} }]);
  expect(logService.events()).toMatchObject([{ fields: { level: 'error', orderId: 'A-17', msg: 'failed' } }]);
  await Promise.all([cloudWatch.close(), logService.close()]);
});

it('the environment of the worker is that of its start, and with SHARE_ENV the one of the process', async () => {
  vi.stubEnv('LOGFERRY_TEST_LATE', 'at the start');
  onTestFinished(() => void vi.unstubAllEnvs());
  const started = [{}, { worker: { env: SHARE_ENV } }].map((more) => {
    const file = newFile();
    const options = { file, environment: 'LOGFERRY_TEST_LATE' };
    return { file, transport: startTransport({ target, options, ...more } as Parameters<typeof startTransport>[0]) };
  });
  await Promise.all(started.map(({ transport }) => once(transport, 'ready')));
  process.env.LOGFERRY_TEST_LATE = 'later';
  for (const { transport } of started) {
    pino(transport).info('x');
    await end(transport);
  }
  expect(started.map(({ file }) => linesOf(file))).toEqual([['at the start'], ['later']]);
});
