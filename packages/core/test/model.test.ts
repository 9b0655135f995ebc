import fc from 'fast-check';
import { expect, it } from 'vitest';
import { full } from '../../../forms.js';
import { newSights } from './support/reference-types.js';
import { type Logged, MAX_BYTES, type PlannedResponse, World } from './support/world.js';

const DAY_MS = 86_400_000;

/** A step of a history. */
class Step<T> implements fc.AsyncCommand<World, World> {
  readonly #name: string;
  readonly #input: T;
  readonly #act: (world: World, input: T) => unknown;

  constructor(name: string, input: T, act: (world: World, input: T) => unknown) {
    this.#name = name;
    this.#input = input;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  async run(world: World): Promise<void> {
    await this.#act(world, this.#input);
    await world.check();
  }

  toString(): string {
    return `${this.#name}(${JSON.stringify(this.#input)})`;
  }
}

function step<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  act: (world: World, input: T) => unknown,
): fc.Arbitrary<Step<T>> {
  return inputs.map((input) => new Step(name, input, act));
}

const size = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 300 }) },
  fc.integer({ min: MAX_BYTES - 12, max: MAX_BYTES - 8 }),
);
const logged = fc.record({
  size,
  filler: fc.constantFrom('x', 'é', '😀'),
  timeJump: fc.oneof({ weight: 5, arbitrary: fc.integer({ min: -5, max: 5 }) }, fc.constantFrom(DAY_MS, -2 * DAY_MS)),
  route: fc.constantFrom('a', 'a', 'b', 'c', 'd'),
  urgent: fc.boolean(),
  parts: fc.constantFrom(1, 1, 1, 1, 3),
  poison: fc.constantFrom(false, false, false, true),
  times: fc.integer({ min: 1, max: 20 }),
});
const accept = step<Logged>('accept', logged, (world, { times, ...input }) => {
  for (let i = 0; i < times; i++) world.accept(input);
});
/** Few small records, one after another: each may have a batch of its own. */
const trickle = step(
  'trickle',
  fc.record({ logged, everyMs: fc.constantFrom(10, 300, 1100) }),
  async (world, { logged: { times, size: bytes, ...input }, everyMs }) => {
    for (let i = 0; i < times; i++) {
      world.accept({ ...input, size: Math.min(bytes, 60) });
      await world.pass(everyMs);
      await world.check();
    }
  },
);
const kind = fc.constantFrom<PlannedResponse['kind'][]>(
  'honest',
  'reject',
  'hang',
  'THROTTLED',
  'UNAVAILABLE',
  'NETWORK',
  'AUTH',
  'INVALID',
  'TOO_LARGE',
  'AGAIN',
);
const responses = step(
  'responses',
  fc.record({
    kind,
    retryAfterMs: fc.constantFrom(0, 0, 0, 100, 4000, 90_000),
    ambiguous: fc.boolean(),
    atOnce: fc.boolean(),
    times: fc.constantFrom(1, 2, 3, 5, 12),
  }),
  (world, { times, ...response }) => {
    for (let i = 0; i < times; i++) world.responses.push(response);
  },
);
const pass = step('pass', fc.constantFrom(1, 50, 200, 1000, 5000, 30_000, 120_000), (world, ms) => world.pass(ms));
const flush = step('flush', fc.constantFrom(undefined, 0, 100, 3000), (world, timeoutMs) => world.flush(timeoutMs));
const close = step('close', fc.constantFrom(0, 100, 3000, 20_000), (world, timeoutMs) => world.close(timeoutMs));
const jump = step('jump', fc.constantFrom(-400 * DAY_MS, 400 * DAY_MS), (world, ms) => world.clock.jump(ms));
const closeSometimes = fc.oneof(
  { weight: 1, arbitrary: close as fc.Arbitrary<Step<unknown>> },
  { weight: 4, arbitrary: pass as fc.Arbitrary<Step<unknown>> },
);
const history = fc.commands(
  [
    accept,
    accept,
    accept,
    trickle,
    trickle,
    responses,
    responses,
    pass,
    pass,
    flush,
    jump,
    closeSometimes,
  ] as fc.Arbitrary<Step<unknown>>[],
  { maxCommands: 40, size: 'max' },
);
const settings = fc.record({
  maxDelayMs: fc.constantFrom(0, 100, 1000),
  maxBatchEvents: fc.constantFrom(1, 3, 20),
  maxBufferBytes: fc.constantFrom(8192, 24_576, 1_048_576),
  overflow: fc.constantFrom('drop-newest' as const, 'drop-oldest' as const),
  concurrency: fc.integer({ min: 1, max: 5 }),
  ordered: fc.boolean(),
  // Numbers for which a timeout never coincides with another event.
  requestTimeoutMs: fc.constantFrom(617, 5087),
  baseMs: fc.constant(200),
  throttledBaseMs: fc.constant(1000),
  capMs: fc.constantFrom(1000, 30_000),
  maxAgeMs: fc.constantFrom(10_000, 100_000, 900_000),
  jitter: fc.constantFrom(0, 0.5, 0.999),
  takesBytes: fc.constantFrom(Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, 150),
  form: fc.constantFrom('text' as const, 'bytes' as const, 'mixed' as const),
  separator: fc.constantFrom(',' as const, '\n' as const, '' as const),
});

it('behaves as a simple model of it, in any history of events', async () => {
  const seen = newSights();
  await fc.assert(
    fc.asyncProperty(fc.scheduler(), history, settings, async (scheduler, steps, chosen) => {
      const world = new World(chosen, scheduler, seen);
      await fc.scheduledModelRun(scheduler, () => ({ model: world, real: world }), steps);
      await world.end(chosen.requestTimeoutMs);
    }),
    { numRuns: full ? 2000 : 260 },
  );
  for (const [sight, times] of Object.entries(seen)) expect(times, sight).toBeGreaterThan(full ? 10 : 0);
}, 120_000);
