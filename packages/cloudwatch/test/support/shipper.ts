import {
  assertBalanced,
  createShipper,
  type DeliveryError,
  type DeliveryOptions,
  type Drop,
  deliveryOptionNames,
  type Shipper,
  splitOptions,
} from '@logferry/core';
import type { CloudWatchEmulator } from '@logferry/emulators';
import { expect, onTestFinished } from 'vitest';
import { type CloudWatchOptions, cloudWatchOptionNames, createCloudWatch } from '../../src/index.js';
import { startEmulator } from './servers.js';

/** A shipper to an emulator of its own. Checks at the end that its ledger balances and the emulator saw no violation. */
export async function start(options: Partial<CloudWatchOptions> & DeliveryOptions = {}): Promise<{
  readonly emulator: CloudWatchEmulator;
  readonly shipper: Shipper;
  readonly errors: readonly DeliveryError[];
  readonly drops: readonly Drop[];
  /** The messages that were stored, in order of arrival. */
  readonly stored: () => string[];
}> {
  const { emulator, access } = await startEmulator();
  const errors: DeliveryError[] = [];
  const drops: Drop[] = [];
  const [destination, delivery] = splitOptions(options, cloudWatchOptionNames, deliveryOptionNames);
  const shipper = createShipper(
    createCloudWatch({ logGroupName: 'shop', logStreamName: 'web', ...access, ...destination }),
    {
      maxDelayMs: 60_000,
      // The time that a busy machine takes.
      closeTimeoutMs: 60_000,
      retry: { baseMs: 1, throttledBaseMs: 1 },
      onError: (error) => errors.push(error),
      onDrop: (drop) => drops.push(drop),
      ...delivery,
    },
  );
  onTestFinished(async () => {
    await shipper.close({ timeoutMs: 0 });
    assertBalanced(shipper.stats());
    expect(emulator.stats().violations).toEqual([]);
  });
  return { emulator, shipper, errors, drops, stored: () => emulator.events().map(({ message }) => message) };
}
