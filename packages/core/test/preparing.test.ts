import { expect, it } from 'vitest';
import { RecordingDestination, record } from './support/recording-destination.js';
import { start } from './support/start.js';

class LazyDestination extends RecordingDestination {
  prepared = 0;
  load: () => void = () => {};

  async prepare(): Promise<void> {
    this.prepared++;
    this.load();
  }
}

it('lets the destination load once what it needs, while the first record waits for its batch', async () => {
  const destination = new LazyDestination();
  const { shipper, clock } = start({ maxDelayMs: 1000 }, { destination });
  await clock.settle();
  expect(destination.prepared).toBe(0);
  shipper.accept(record('x'));
  await clock.settle();
  expect(destination).toMatchObject({ prepared: 1, attempts: [] });
  shipper.accept(record('y'));
  await clock.advance(1000);
  shipper.accept(record('z'));
  await clock.settle();
  expect(destination).toMatchObject({ prepared: 1, stored: [{}, {}] });
  await shipper.close();
});

it('does not where the first record is sent at once', async () => {
  const destination = new LazyDestination();
  const { shipper } = start({}, { destination });
  shipper.accept(record('x'));
  await shipper.close();
  expect(destination).toMatchObject({ prepared: 0, stored: [{}] });
});

it('is not told of a failure to load, which the first request meets again, and ships no line of it', async () => {
  const destination = new LazyDestination();
  const { shipper, clock, errors } = start({ maxDelayMs: 1000 }, { destination });
  destination.load = () => {
    shipper.accept(record('a line of the SDK'));
    throw new Error('not installed');
  };
  shipper.accept(record('x'));
  await clock.advance(1000);
  expect(destination.stored).toHaveLength(1);
  expect(shipper.stats()).toMatchObject({ delivered: 1, dropped: { feedback: 1 }, lastError: undefined });
  expect(errors).toEqual([]);
  await shipper.close();
});
