import fc from 'fast-check';
import { expect, it } from 'vitest';
import { full } from '../../../forms.js';
import { assertBalanced, type Batch, DeliveryError, type SendOutcome } from '../src/index.js';
import { textOf } from './support/payloads.js';
import { RecordingDestination, record, TogetherDestination } from './support/recording-destination.js';
import { start } from './support/start.js';

const DAY_MS = 86_400_000;
const BASE_MS = Date.UTC(2026, 0, 10);
const MAX_BYTES = 2048;

/** Sizes of all kinds, and those exactly at and around the limit of a batch. */
const size = fc.oneof(
  fc.integer({ min: 0, max: 300 }),
  fc.integer({ min: MAX_BYTES - 12, max: MAX_BYTES - 8 }),
  fc.integer({ min: MAX_BYTES / 2 - 12, max: MAX_BYTES / 2 - 8 }),
);
const filler = fc.constantFrom('x', 'é', '中', '😀');
const timeJump = fc.oneof(
  fc.integer({ min: -5, max: 5 }),
  fc.constantFrom(DAY_MS - 1, DAY_MS, -DAY_MS, 3 * DAY_MS, -3 * DAY_MS),
);
const accept = fc.record({
  kind: fc.constant('accept' as const),
  size,
  filler,
  timeJump,
  level: fc.constantFrom('a', 'b', 'c'),
  urgent: fc.boolean(),
  times: fc.integer({ min: 1, max: 12 }),
  looks: fc.boolean(),
});
const pass = fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 3000 }) });
const flush = fc.record({ kind: fc.constant('flush' as const), timeoutMs: fc.integer({ min: 0, max: 500 }) });
const steps = fc.array(fc.oneof({ weight: 6, arbitrary: accept }, pass, flush), { minLength: 1, maxLength: 25 });

const responses = fc.infiniteStream(
  fc.oneof(
    { weight: 6, arbitrary: fc.constant('accept' as const) },
    fc.constantFrom('UNAVAILABLE', 'THROTTLED', 'AGAIN', 'AUTH', 'INVALID', 'TOO_LARGE', 'reject', 'hang'),
  ),
);
const kinds = fc.record({
  together: fc.boolean(),
  form: fc.constantFrom('text', 'bytes', 'mixed'),
  separator: fc.constantFrom(',', '\n', ''),
  makesBodies: fc.boolean(),
});
const options = fc.record({
  maxBatchEvents: fc.integer({ min: 1, max: 20 }),
  maxBufferBytes: fc.constantFrom(4096, 16_384, 1_048_576),
  overflow: fc.constantFrom('drop-newest', 'drop-oldest'),
  concurrency: fc.integer({ min: 1, max: 5 }),
  ordered: fc.boolean(),
});

it('with any records and responses, batches obey the limits, no record is lost or doubled silently, and the ledger adds up', async () => {
  const seen = { delivered: 0, rejected: 0, dropped: 0, halved: 0, ambiguous: 0 };
  await fc.assert(
    fc.asyncProperty(steps, responses, options, kinds, async (plan, outcomes, chosen, { together, ...kind }) => {
      const destination = new (together ? TogetherDestination : RecordingDestination)({ maxBytes: MAX_BYTES });
      Object.assign(destination, kind);
      destination.respond = (batch) => respond(batch, outcomes.next().value);
      const { shipper, clock, drops } = start(chosen, { destination });
      const taken: string[] = [];
      let time = BASE_MS;
      let id = 0;
      for (const step of plan) {
        if (step.kind === 'pass') await clock.advance(step.ms);
        else if (step.kind === 'flush') void shipper.flush(step);
        else
          for (let i = 0; i < step.times; i++) {
            time += step.timeJump;
            const text = `#${id++}#`.padEnd(step.size / Buffer.byteLength(step.filler), step.filler).toWellFormed();
            if (shipper.accept(record(text, { time, level: step.level, urgent: step.urgent }))) taken.push(text);
          }
        if (step.kind !== 'accept' || step.looks) assertBalanced(shipper.stats());
      }
      await clock.advance(2_000_000);
      const stats = shipper.stats();
      assertBalanced(stats);
      expect(destination.violations).toEqual([]);
      expect(stats).toMatchObject({ pending: 0, bufferBytes: 0, inFlight: 0, received: id });
      const lostLater = drops
        .flatMap((drop) => drop.events.map((event) => textOf(event.payload)))
        .filter((text) => taken.includes(text));
      const accountedFor = [...destination.texts, ...lostLater];
      expect(accountedFor.sort()).toEqual(taken.sort());
      seen.delivered += stats.delivered;
      seen.rejected += stats.rejected;
      seen.dropped += id - stats.delivered - stats.rejected;
      seen.halved += (stats.retries.INVALID ?? 0) + (stats.retries.TOO_LARGE ?? 0);
      seen.ambiguous += stats.ambiguous;
    }),
    { numRuns: full ? 2000 : 400 },
  );
  for (const [state, count] of Object.entries(seen)) expect(count, state).toBeGreaterThan(full ? 100 : 10);
}, 120_000);

function respond(batch: Batch, kind: string): Promise<SendOutcome> | SendOutcome {
  switch (kind) {
    case 'accept':
      return { rejected: [], wireBytes: batch.bytes };
    case 'reject':
      return { rejected: [{ index: batch.events.length - 1, reason: 'too-new' }], wireBytes: batch.bytes };
    case 'hang':
      return new Promise(() => {});
    default:
      throw new DeliveryError(kind as 'AUTH', 'for the test', { ambiguous: false });
  }
}
