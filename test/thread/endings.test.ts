import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { clouds, type RunningCloud } from '../support/clouds.js';
import { run } from './run.js';

/** All pairs are in the fuzz of endings. */
const ways = clouds.map((cloud, index) => ({ framework: ['winston', 'bunyan'][index] as string, cloud }));

describe.each(ways)('a thread from $framework to $cloud.name', ({ framework, cloud: kind }) => {
  let cloud: RunningCloud;
  /** Records of earlier tests. */
  let seen = 0;
  beforeAll(async () => {
    cloud = await kind.start();
  });
  afterEach(async () => {
    await cloud.faults();
    seen = (await cloud.records()).length;
    expect((await cloud.stats()).violations).toEqual([]);
  });
  afterAll(() => cloud.close());
  const textField = framework === 'winston' ? 'message' : 'msg';
  const texts = async (): Promise<unknown[]> => (await cloud.records()).slice(seen).map((record) => record[textField]);
  const end = (ending: string, { lines = 1000, warmUp = false, ...options }: Record<string, unknown> = {}) =>
    run('app.mjs', {
      framework,
      cloud: kind.name,
      options: { ...cloud.options, ...options },
      lines,
      ending,
      warmUp,
    });
  const allLines = Array.from({ length: 1000 }, (_, i) => `line ${i}`);

  it.each([
    ['process.exit()', 3],
    ['an uncaught error', 1],
    ['an unhandled rejection', 1],
    ['SIGTERM with a handler', 0],
    ['natural end', 0],
  ])(
    'delivers 1,000 of 1,000 at %s, with the exit code of an application without a transport',
    async (ending, expected) => {
      const { code, tookMs } = await end(ending);
      expect(code).toBe(expected);
      expect(await texts()).toEqual(allLines);
      expect(tookMs).toBeLessThan(20_000);
    },
  );

  it('has delivered at a natural end before the process exits, without blocking it', async () => {
    expect((await end('natural end')).stderr).toBe('pending 0\n');
  });

  it('delivers at process.exit() also when the worker is already running', async () => {
    expect((await end('process.exit()', { warmUp: true })).code).toBe(3);
    expect(await texts()).toEqual(['warm-up', ...allLines]);
  });

  it('loses queued records at SIGTERM without a handler', async () => {
    expect((await end('SIGTERM', { maxDelayMs: 600_000 })).signal).toBe('SIGTERM');
    expect(await texts()).toEqual([]);
  });

  it('lets an idle process end at once', async () => {
    const { code, tookMs } = await end('natural end', { lines: 0 });
    expect(code).toBe(0);
    expect(tookMs).toBeLessThan(10_000);
  });

  it('keeps closeTimeoutMs at process.exit() when the service is down', async () => {
    await cloud.faults({ down: true });
    const { code, stderr, tookMs } = await end('process.exit()', { closeTimeoutMs: 300 });
    expect(code).toBe(3);
    expect(stderr).toContain('1000 records lost (undeliverable 1000)');
    expect(tookMs).toBeLessThan(8000);
  });
});

describe('a thread', () => {
  let cloud: RunningCloud;
  beforeEach(async () => {
    cloud = await (clouds[0] as (typeof clouds)[number]).start();
  });
  afterEach(() => cloud.close());

  it('gives up within 10 s at process.exit(), also with a longer closeTimeoutMs, and reports the losses', async () => {
    await cloud.faults({ hang: 1 });
    const plan = { framework: 'winston', cloud: 'cloudwatch', lines: 10, ending: 'process.exit()' };
    const options = { ...cloud.options, closeTimeoutMs: 60_000 };
    const { code, stderr, tookMs } = await run('app.mjs', { ...plan, options });
    expect(code).toBe(3);
    expect(stderr).toMatch(/\[logferry\] .*10 records lost \(undeliverable 10\)/);
    expect(tookMs).toBeLessThan(20_000);
  });

  it('delivers a crash that winston handles before winston exits', async () => {
    const plan = { framework: 'winston', cloud: 'cloudwatch', lines: 10, ending: 'an uncaught error' };
    const options = { ...cloud.options, handleExceptions: true, maxDelayMs: 600_000 };
    const { code, tookMs } = await run('app.mjs', { ...plan, options });
    expect(code).toBe(1);
    const messages = (await cloud.records()).map(({ message }) => message);
    expect(messages.slice(0, -1)).toEqual(Array.from({ length: 10 }, (_, i) => `line ${i}`));
    expect(messages.at(-1)).toMatch(/^uncaughtException: boom/);
    expect(tookMs).toBeLessThan(10_000);
  });

  it('starts from CommonJS', async () => {
    expect((await run('app.cjs', { options: cloud.options })).code).toBe(0);
    expect((await cloud.records()).map(({ message, msg }) => message ?? msg).sort()).toEqual(['bunyan', 'winston']);
  });

  it('does not start another thread from a module that Node.js preloads', async () => {
    const preload = fileURLToPath(new URL('preload.mjs', import.meta.url));
    const { code, stderr } = await run('preload.mjs', { options: cloud.options }, '--import', preload);
    expect(code).toBe(0);
    expect(stderr.match(/started in thread \d+/g)).toEqual(['started in thread 0', 'started in thread 1']);
    expect((await cloud.records()).length).toBeGreaterThan(0);
  });
});
