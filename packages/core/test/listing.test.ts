import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { assertBalanced, createShipper, type DeliveryStats, type Shipper, statsByDestination } from '../src/index.js';
import { MemoryDestination } from '../src/testing/index.js';
import { recordOf } from './support/plain-adapter.js';

/** A destination with a name of its own: the sums are those of the process. */
class Named extends MemoryDestination {
  override readonly name: 'memory';

  constructor(name: string) {
    super();
    this.name = name as 'memory';
  }
}

function start(name: string, count: number): Shipper {
  const shipper = createShipper(new Named(name), { onDrop() {} });
  for (let index = 0; index < count; index++) shipper.accept(recordOf('info', `line ${index}`, {}));
  return shipper;
}

const sumOf = (name: string): DeliveryStats | undefined => statsByDestination().get(name);

it('adds up the shippers of a destination by its name, and leaves others out', async () => {
  const shippers = [start('one', 2), start('one', 3), start('two', 1)];
  expect(sumOf('one')).toMatchObject({ received: 5, pending: 5, delivered: 0 });
  await Promise.all(shippers.map((shipper) => shipper.flush()));
  expect(sumOf('one')).toMatchObject({ received: 5, pending: 0, delivered: 5, bufferLimitBytes: 2 * 64 * 1024 * 1024 });
  expect(sumOf('two')).toMatchObject({ received: 1, delivered: 1 });
  expect(sumOf('three')).toBeUndefined();
  await Promise.all(shippers.map((shipper) => shipper.close()));
});

it('a closed shipper stays in the sums, with the records that come later, and uses nothing any more', async () => {
  const shipper = start('closed', 2);
  await shipper.close();
  shipper.accept(recordOf('info', 'too late', {}));
  const sum = sumOf('closed') as DeliveryStats;
  expect(sum).toMatchObject({ received: 3, delivered: 2, dropped: { closed: 1 }, bufferLimitBytes: 0, concurrency: 0 });
  assertBalanced(sum);
});

it('shippers that are let go stay in the sums, and no memory is held for each', async () => {
  setFlagsFromString('--expose-gc');
  const collectGarbage: () => void = runInNewContext('gc');
  const { listings } = Reflect.get(globalThis, Symbol.for('logferry.shippers')) as { listings: ReadonlySet<object> };
  const before = listings.size;
  for (let round = 0; round < 20; round++) await start('let go', 2).flush();
  await expect
    .poll(() => {
      collectGarbage();
      return listings.size;
    })
    .toBeLessThanOrEqual(before);
  expect(sumOf('let go')).toMatchObject({ received: 40, delivered: 40, pending: 0, bufferLimitBytes: 0 });
});
