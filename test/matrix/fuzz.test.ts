import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { clouds, signedLogService } from '../support/clouds.js';
import { type Ending, type Endpoint, endpoints, type Host, type Listeners } from './endings.js';
import { type Cell, type Matrix, startMatrix } from './run.js';

/** Combinations that are tried. */
const COMBINATIONS = 100;

const { LOGFERRY_SEED: seed = '20261126' } = process.env;

const acts = [
  'nothing',
  'end, exit',
  'short flush, exit',
  'exit',
  'exit later',
  'throw',
  'reject',
  'SIGTERM, exit',
  'log at two ends',
];

/** The hosts, and whether they ship from a thread of ours. */
const modes: readonly (readonly [Host, boolean])[] = [
  ['winston', false],
  ['winston', true],
  ['bunyan', false],
  ['bunyan', true],
  ['pino in process', false],
  ['pino in its worker', false],
];

interface Combination {
  readonly mode: readonly [Host, boolean];
  readonly cloud: Cell['cloud'];
  readonly act: string;
  readonly listeners: Listeners;
  readonly endpoint: Endpoint;
  readonly records: number;
  readonly maxDelayMs: number;
  readonly maxBatchEvents: number;
}

const combination: fc.Arbitrary<Combination> = fc.record({
  mode: fc.constantFrom(...modes),
  cloud: fc.constantFrom(...[...clouds, signedLogService].map(({ label }) => label)),
  act: fc.constantFrom(...acts),
  listeners: fc.constantFrom<Listeners[]>('none', 'log before', 'log after', 'exit before', 'exit after'),
  endpoint: fc.constantFrom(...(Object.keys(endpoints) as Endpoint[])),
  records: fc.constantFrom(1, 2, 20, 100),
  maxDelayMs: fc.constantFrom(0, 60_000),
  maxBatchEvents: fc.constantFrom(1, 7, 1000),
});

/** An application cannot log after it has ended its logger. pino's own listeners of `beforeExit` and `exit` end its worker. */
const isPossible = ({ mode: [host], act, listeners }: Combination): boolean => {
  const endsLogger = act === 'end, exit' && host !== 'bunyan';
  const meetsPino = host === 'pino in its worker' && (listeners !== 'none' || act === 'log at two ends');
  return !meetsPino && !(listeners.startsWith('log') && endsLogger);
};

const combinations = fc.sample(combination.filter(isPossible), { seed: Number(seed), numRuns: COMBINATIONS });

let matrix: Matrix;
beforeAll(async () => {
  matrix = await startMatrix(Object.keys(endpoints) as Endpoint[]);
});
afterAll(() => matrix.close());

describe.concurrent('each record is stored or told, and none is both', () => {
  it.each(combinations.map((each, index) => ({ ...each, name: describeCombination(each), index })))(
    '$index: $name',
    async ({
      mode: [host, thread],
      cloud,
      act,
      listeners,
      endpoint,
      records,
      maxDelayMs,
      maxBatchEvents,
      name,
      index,
    }) => {
      const delivery = {
        maxDelayMs,
        maxBatchEvents,
        closeTimeoutMs: endpoint === 'healthy' ? 9000 : 600,
        ...(thread && { thread }),
      };
      const ending: Ending = {
        name: `${index}: ${name}`,
        act,
        listeners,
        records,
        endpoint,
        options: delivery,
        promises: {},
      };
      const { delivered, logged, stderr, stats } = await matrix.run({ host, cloud, ending });
      const told = sumOf(stderr);
      expect(new Set(delivered).size).toBe(delivered.length);
      // A record can be stored whose response comes too late: it is told, since nothing is known of it. `ambiguous` counts
      // such requests; the counters of pino's worker are not there.
      const isKnown = stats ? stats.ambiguous === 0 : endpoint === 'healthy';
      if (!isKnown && (endpoint === 'slow' || endpoint === 'healthy')) {
        expect(told).toBeLessThanOrEqual(logged);
        expect(delivered.length + told).toBeGreaterThanOrEqual(logged);
      } else expect({ stored: delivered.length, told }).toEqual({ stored: logged - told, told });
      if (endpoint === 'healthy' && (thread || host === 'pino in its worker')) expect(told).toBe(0);
    },
  );
});

function sumOf(stderr: string): number {
  return [...stderr.matchAll(/\[logferry\] \S+ (\d+) records? lost/g)].reduce(
    (sum, [, count]) => sum + Number(count),
    0,
  );
}

function describeCombination({
  mode: [host, thread],
  cloud,
  act,
  listeners,
  endpoint,
  ...numbers
}: Combination): string {
  const { records, maxDelayMs, maxBatchEvents } = numbers;
  const where = `${host}${thread ? ' with a thread' : ''} to ${cloud} (${endpoint})`;
  return `${where}: ${act}; listeners: ${listeners}; ${records} records, ${maxDelayMs} ms, batches of ${maxBatchEvents}`;
}
