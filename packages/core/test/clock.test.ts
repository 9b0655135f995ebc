import { AsyncResource, createHook } from 'node:async_hooks';
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import { expect, it, vi } from 'vitest';
import { createShipper, systemClock } from '../src/index.js';
import { RecordingDestination, record } from './support/recording-destination.js';

it('never calls back sooner than after the delay', async () => {
  const delays = Array.from({ length: 400 }, (_, index) => 1 + index / 13);
  const early = await Promise.all(
    delays.map(
      (delayMs) =>
        new Promise<boolean>((resolve) => {
          const startMs = systemClock.monotonic();
          systemClock.setTimer(() => resolve(systemClock.monotonic() - startMs < delayMs), delayMs);
        }),
    ),
  );
  expect(early.filter(Boolean)).toEqual([]);
});

it('tells losses that were joined, although nothing happens afterwards', async () => {
  const told: number[] = [];
  const shippers = Array.from({ length: 40 }, (_, index) =>
    createShipper(new RecordingDestination(), {
      maxBufferBytes: 1024,
      onDrop({ records }) {
        told[index] = (told[index] ?? 0) + records;
      },
    }),
  );
  for (let turn = 0; turn < 12; turn++) {
    for (const shipper of shippers) shipper.accept(record('x'.repeat(2000)));
    await nextTurn();
    await sleep(Math.random());
  }
  await expect.poll(() => told, { timeout: 3000 }).toEqual(shippers.map(() => 12));
});

it('keeps nothing that a test runner would report as an open handle, as jest --detectOpenHandles does', async () => {
  const kept: object[] = [];
  const hook = createHook({
    init(_id, _type, _trigger, resource) {
      if (resource instanceof AsyncResource) kept.push(resource);
    },
  }).enable();
  vi.resetModules();
  const { systemClock: fresh } = await import('../src/tools/system-clock.js');
  hook.disable();
  expect(fresh).not.toBe(systemClock);
  expect(kept.filter((resource) => !('hasRef' in resource) || (resource as NodeJS.Timeout).hasRef())).toEqual([]);
});
