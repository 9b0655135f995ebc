import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { clouds, type RunningCloud } from './support/clouds.js';
import { hosts } from './support/hosts.js';

const running: Record<string, RunningCloud> = {};
beforeAll(async () => {
  for (const cloud of clouds) running[cloud.name] = await cloud.start();
});
afterAll(async () => {
  for (const cloud of Object.values(running)) await cloud.close();
});

/** What came of each logger of an application in which this happens around its first record. */
async function outcomes(act: string, ...flags: readonly string[]): Promise<Readonly<Record<string, object>>> {
  const child = fileURLToPath(new URL('surroundings/child.mjs', import.meta.url));
  const options = Object.fromEntries(
    Object.entries(running).map(([name, { options }]) => [name, { ...options, maxDelayMs: 10 }]),
  );
  const env = { ...process.env, PLAN: JSON.stringify({ act, options }) };
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, child], { env, timeout: 60_000 });
  return JSON.parse(stdout);
}

function expectEach(outcome: object): object {
  const same = expect.objectContaining(outcome);
  return {
    'winston to cloudwatch': same,
    'winston to log-service': same,
    'winston to cloudwatch in a thread': same,
    'bunyan to cloudwatch': same,
    'bunyan to log-service': same,
    'bunyan to log-service in a thread': same,
    'pino to cloudwatch': same,
    'pino to log-service': same,
  };
}

it.each(['globalThis is closed before', 'globalThis is closed after'])(
  'all ways deliver where %s the modules are loaded',
  async (act) => {
    expect(await outcomes(act)).toEqual(expectEach({ received: 10, delivered: 10 }));
  },
);

it('no context of a request is held after its records are delivered, though connections and threads stay open', async () => {
  expect(await outcomes('a request has a context', '--expose-gc')).toEqual(expectEach({ held: [], delivered: 1 }));
});

describe('a record that is logged while timers are fakes is delivered without another, once they are real again', () => {
  it('by node:test', async () => {
    expect(await outcomes('node:test fakes the timers')).toEqual(expectEach({ delivered: 1 }));
  });

  afterEach(() => void vi.useRealTimers());
  describe.each(hosts.filter(({ inPinoWorker }) => !inPinoWorker))('by vitest: $name', (host) => {
    it.each(clouds)('$name', async ({ name }) => {
      const { options } = running[name] as RunningCloud;
      const app = await host.start(name, { ...options, maxDelayMs: 10 });
      vi.useFakeTimers({
        toFake: [
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'setImmediate',
          'clearImmediate',
          'Date',
          'performance',
          'queueMicrotask',
          'hrtime',
        ],
      });
      app.log('info', 'during the fakes');
      vi.useRealTimers();
      await expect.poll(async () => (await app.stats()).delivered, { interval: 10 }).toBe(1);
      await app.end();
    });
  });
});
