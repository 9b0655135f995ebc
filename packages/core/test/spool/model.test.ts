import fc from 'fast-check';
import { expect, it } from 'vitest';
import { full } from '../../../../forms.js';
import type { Call, Fault, Leftover } from '../support/simulated-files.js';
import { type Answer, Machine, newSights, type Settings } from '../support/spool-machine.js';

/** A step of a history. Fast-check prints its name and its input. */
class Step<T> implements fc.AsyncCommand<Machine, Machine> {
  readonly #name: string;
  readonly #input: T;
  readonly #act: (machine: Machine, input: T) => unknown;

  constructor(name: string, input: T, act: (machine: Machine, input: T) => unknown) {
    this.#name = name;
    this.#input = input;
    this.#act = act;
  }

  check(): boolean {
    return true;
  }

  async run(machine: Machine): Promise<void> {
    await this.#act(machine, this.#input);
    await machine.look();
  }

  toString(): string {
    return `${this.#name}(${JSON.stringify(this.#input)})`;
  }
}

function step<T>(
  name: string,
  inputs: fc.Arbitrary<T>,
  act: (machine: Machine, input: T) => unknown,
): fc.Arbitrary<Step<unknown>> {
  return inputs.map((input) => new Step(name, input, act) as Step<unknown>);
}

const slot = fc.constantFrom(0, 0, 1);
const accept = step(
  'accept',
  fc.record({
    slot,
    records: fc.integer({ min: 1, max: 40 }),
    size: fc.constantFrom(20, 20, 200, 2000, 30_000),
    together: fc.boolean(),
  }),
  (machine, input) => machine.accept(input),
);
const answer = step(
  'answer',
  fc.constantFrom<Answer>('stores', 'stores', 'refuses', 'stores and fails', 'hangs'),
  (machine, how) => machine.answer(how),
);
const pass = step('pass', fc.constantFrom(1, 150, 1100, 6000, 35_000), (machine, ms) => machine.pass(ms));
const flush = step('flush', fc.record({ slot, timeoutMs: fc.constantFrom(0, 100, 3000) }), (machine, input) =>
  machine.flush(input),
);
const kill = step('kill', slot, (machine, index) => machine.kill(index));
const losePower = step<Leftover>(
  'losePower',
  fc.record({ keptPercent: fc.integer({ min: 0, max: 100 }), isZeroFilled: fc.boolean() }),
  (machine, leftover) => machine.losePower(leftover),
);
const close = step('close', fc.record({ slot, timeoutMs: fc.constantFrom(0, 50, 3000) }), (machine, input) =>
  machine.close(input),
);
const calls: Record<Call, true> = {
  makeDirectory: true,
  list: true,
  rename: true,
  remove: true,
  removeDirectory: true,
  touch: true,
  stat: true,
  create: true,
  write: true,
  truncate: true,
  sync: true,
  syncNow: true,
  syncDirectory: true,
  syncDirectoryNow: true,
  close: true,
  append: true,
  readAll: true,
  read: true,
};
const fail = step<Fault>(
  'fail',
  fc.record({
    call: fc.constantFrom<Fault['call']>('any', 'any', 'any', 'any', ...(Object.keys(calls) as Call[])),
    after: fc.nat({ max: 20 }),
    times: fc.constantFrom(1, 1, 2, 30),
    code: fc.constantFrom<Fault['code']>('ENOSPC', 'EIO', 'EMFILE', 'EACCES', 'EROFS'),
  }),
  (machine, fault) => machine.fail(fault),
);
const removeDirectory = step('removeDirectory', slot, (machine, index) => machine.removeDirectory(index));
const seldom = fc.oneof(close, removeDirectory, flush);
const history = fc.commands([accept, accept, accept, answer, answer, pass, pass, kill, losePower, fail, seldom], {
  maxCommands: 40,
  size: 'max',
});

const settings: fc.Arbitrary<Settings> = fc.record({
  mode: fc.constantFrom('journal', 'journal', 'spill'),
  fsync: fc.constantFrom('interval', 'batch', 'record', 'never'),
  maxBufferBytes: fc.constantFrom(65_536, 1_048_576, 16_777_216),
  maxBytes: fc.constantFrom(1_048_576, 268_435_456),
  maxAgeMs: fc.constantFrom(20_000, 259_200_000, 259_200_000),
  overflow: fc.constantFrom('drop-newest', 'drop-oldest'),
  ordered: fc.boolean(),
  shippers: fc.constantFrom(1, 1, 2),
  form: fc.constantFrom('text', 'bytes', 'mixed'),
  separator: fc.constantFrom(',', '\n', ''),
});

it('loses no record that was on disk, and settles none twice, in any history of a machine', async () => {
  const seen = newSights();
  await fc.assert(
    fc.asyncProperty(settings, history, async (chosen, steps) => {
      const machine = new Machine(chosen, seen);
      try {
        await fc.asyncModelRun(() => ({ model: machine, real: machine }), steps);
        await machine.end();
      } finally {
        machine.dispose();
      }
    }),
    // A shipper of a killed process stays in memory: it has no end.
    { numRuns: full ? 1200 : 40 },
  );
  for (const [sight, times] of Object.entries(seen)) expect(times, sight).toBeGreaterThan(0);
}, 600_000);
