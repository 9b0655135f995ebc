import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { DeliveryError, enclosePayloads } from '../src/index.js';
import { accepted, RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

const MIB = 1024 * 1024;

/** Memory of the payloads. It includes garbage from buffers that grew, so the bounds are wide. */
const payloadMemory = (): number => process.memoryUsage().arrayBuffers;

/** Returns the memory of the payloads that are left. */
function collectGarbage(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
  return payloadMemory();
}

/** V8 frees the memory of collected buffers in the background, so one collection may show too much. */
async function expectRetained(before: number, maxBytes: number): Promise<void> {
  await expect.poll(() => collectGarbage() - before, { timeout: 5000 }).toBeLessThan(maxBytes);
}

it('a batch of one small record does not take the memory of a full batch, also after a full batch', async () => {
  const destination = new RecordingDestination();
  let down = false;
  destination.send = async (batch) => {
    enclosePayloads(batch, '[', ']');
    if (down) throw new DeliveryError('UNAVAILABLE', 'down');
    return accepted;
  };
  const { shipper, clock } = start({}, { destination });
  for (let i = 0; i < 2000; i++) shipper.accept(record('x'.repeat(1000)));
  await clock.advance(2000);
  down = true;
  const before = payloadMemory();
  for (let i = 0; i < 500; i++) {
    shipper.accept(record('small'));
    await clock.advance(1000);
  }
  expect(shipper.stats().pending).toBe(500);
  expect(payloadMemory() - before).toBeLessThan(64 * MIB);
});

it('small batches that waited together take no more memory than their payloads', async () => {
  const destination = new RecordingDestination();
  destination.send = async () => {
    throw new DeliveryError('UNAVAILABLE', 'down');
  };
  const { shipper, clock } = start({ maxBufferBytes: 64 * MIB }, { destination });
  const before = collectGarbage();
  for (let i = 0; i < 300; i++) {
    for (let n = 0; n < 4; n++) shipper.accept(record('x'.repeat(20_000)));
    await clock.advance(1000);
  }
  expect(shipper.stats().pending).toBe(1200);
  // The last one of them may grow yet.
  await expectRetained(before, 1.15 * 1200 * 20_000 + 2 * MIB);
});

it.each([
  ['large', 40, 21, 20_000],
  ['small', 2000, 1, 150],
])(
  '%s batches that joined, each before one of another route, take no more memory than is counted',
  async (_, routes, records, size) => {
    const destination = new RecordingDestination();
    destination.send = async () => {
      throw new DeliveryError('UNAVAILABLE', 'down');
    };
    const { shipper, clock } = start({ maxBufferBytes: 256 * MIB, maxDelayMs: 0, maxRoutes: 5000 }, { destination });
    for (let i = 0; i < 20; i++) {
      shipper.accept(record('first', { level: `first ${i}` }));
      await clock.advance(1000);
    }
    const before = collectGarbage();
    const { bufferBytes } = shipper.stats();
    for (let route = 0; route < routes; route++) {
      for (let batch = 0; batch < 2; batch++) {
        for (let i = 0; i < records; i++) shipper.accept(record('x'.repeat(size), { level: `${route}` }));
        await clock.settle();
        // Short-lived buffers of the application lie between those of the batches.
        for (let i = 0; i < 3; i++) Buffer.from('y'.repeat(1000));
      }
    }
    await expectRetained(before, 1.3 * (shipper.stats().bufferBytes - bufferBytes));
  },
);

it('batches of one large record do not take the memory of full batches', async () => {
  const destination = new RecordingDestination();
  destination.send = async () => {
    throw new DeliveryError('UNAVAILABLE', 'down');
  };
  const { shipper, clock } = start({}, { destination });
  const before = payloadMemory();
  for (let i = 0; i < 200; i++) {
    shipper.accept(record('x'.repeat(230_000)));
    await clock.advance(1000);
  }
  expect(payloadMemory() - before).toBeLessThan(4 * shipper.stats().bufferBytes);
});

it('eviction of large records frees memory although most small records around them stay', async () => {
  const destination = new RecordingDestination();
  destination.send = () => new Promise(() => {});
  const maxBufferBytes = 20 * MIB;
  const { shipper, clock } = start(
    { overflow: 'drop-oldest', maxBufferBytes, requestTimeoutMs: 1_000_000_000 },
    { destination },
  );
  const before = payloadMemory();
  for (let i = 0; i < 300; i++) {
    for (let small = 0; small < 6; small++) shipper.accept(record('small', { urgent: true }));
    for (let large = 0; large < 3; large++) shipper.accept(record('x'.repeat(300_000)));
    await clock.advance(1000);
  }
  expect(shipper.stats().dropped['buffer-full']).toBeGreaterThan(500);
  expect(payloadMemory() - before).toBeLessThan(8 * maxBufferBytes);
});

it('who holds on to the first request, as a kept connection does, does not hold the batches after it', async () => {
  const destination = new RecordingDestination();
  const held: unknown[] = [];
  let finish = (): void => {};
  destination.send = (batch, signal, progress) => {
    if (held.length === 0) held.push(batch, signal, progress);
    return new Promise((resolve) => {
      finish = () => resolve(accepted);
    });
  };
  const { shipper, clock } = start({ maxBatchEvents: 1, concurrency: 1 }, { destination });
  const before = collectGarbage();
  for (let i = 0; i < 200; i++) {
    // One waits when another is delivered.
    shipper.accept(record('x'.repeat(200_000)));
    finish();
    await clock.advance(1000);
  }
  expect(shipper.stats().delivered).toBe(199);
  await expectRetained(before, 8 * MIB);
  expect(held).toHaveLength(3);
});
