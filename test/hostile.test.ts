import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { assertBalanced } from '@logferry/core';
import type bunyan from 'bunyan';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import winston from 'winston';
import type { RunningCloud } from './support/clouds.js';
import { HostileSource } from './support/hostile.js';
import type { FrameworkLogger, Host } from './support/hosts.js';
import { waysInTurns } from './support/ways.js';

const SEED = 4;
const ROUNDS = 25;
const CALLS_PER_ROUND = 1000;

// An uncaught error, here or in a worker, fails the run.
describe.each(waysInTurns)('under hostile content, $name', ({ host, cloud: kind }) => {
  let cloud: RunningCloud;
  beforeEach(async () => {
    cloud = await kind.start();
    // The frameworks write warnings about their arguments.
    vi.spyOn(process.stderr, 'write').mockReturnValue(true);
    vi.spyOn(console, 'error').mockReturnValue();
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    Error.stackTraceLimit = 10;
    await cloud.close();
  });

  it('takes any log calls without harm to the process, the ledger or the next record', async () => {
    const running = await host.start(kind.name, cloud.options);
    // pino needs the stack to find its target. After that, stacks would take most of the time.
    Error.stackTraceLimit = 2;
    const countHandedOver = watch(host, running.logger);
    const source = new HostileSource(SEED);
    let returned = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const logger = attempt(() => childOf(host, running.logger, source)) ?? running.logger;
      for (let call = 0; call < CALLS_PER_ROUND; call++) {
        const args = source.call();
        attempt(() => {
          logger.info(...args);
          returned++;
        });
        if (call % 100 === 0) await nextTurn();
      }
      running.log('info', 'marker', { marker: `round ${round}`, text: 'grüße 世界 😀' });
      returned++;
      await running.flush();
      assertBalanced(await running.stats());
    }
    const stats = await running.stats();
    const received = countHandedOver() ?? returned;
    expect(received).toBeGreaterThan((ROUNDS * CALLS_PER_ROUND) / 2);
    expect(stats).toMatchObject({ received, delivered: received, pending: 0 });
    await running.end();
    expect((await cloud.stats()).violations).toEqual([]);
    const markers = (await cloud.records()).filter((record) => record[host.textField] === 'marker');
    expect(markers.map(({ marker }) => marker)).toEqual(Array.from({ length: ROUNDS }, (_, round) => `round ${round}`));
    for (const marker of markers) expect(marker.text).toBe('grüße 世界 😀');
  });
});

/** Ignores errors that a framework throws before it calls us. */
function attempt<Result>(call: () => Result): Result | undefined {
  try {
    return call();
  } catch {
    return undefined;
  }
}

function childOf({ name }: Host, logger: FrameworkLogger, source: HostileSource): FrameworkLogger {
  const bindings = source.fields();
  const serializers = source.serializers();
  return name.startsWith('bunyan')
    ? logger.child({ ...bindings, serializers })
    : logger.child(bindings, { serializers });
}

/** winston and bunyan omit some records silently. A second transport counts the records that they pass to transports. */
function watch({ name }: Host, logger: FrameworkLogger): () => number | undefined {
  let count: number | undefined;
  const increment = (): void => {
    count = (count ?? 0) + 1;
  };
  if (name.startsWith('bunyan'))
    (logger as bunyan).addStream({ type: 'raw', level: 'debug', stream: { write: increment } });
  if (name.startsWith('winston')) {
    const neighbour = new Writable({
      write(_chunk, _encoding, next) {
        increment();
        next();
      },
    });
    (logger as unknown as winston.Logger).add(new winston.transports.Stream({ stream: neighbour }));
  }
  return () => count;
}
