import { createShipper, type DeliveryOptions, type Destination, type Shipper } from '@logferry/core';
import { onTestFinished } from 'vitest';

/**
 * A shipper for one test: its retries do not go on in the tests after it, which read the channels and the environment of the process.
 * Its `close()` has the time that a busy machine takes.
 */
export function startShipper(destination: Destination, options?: DeliveryOptions): Shipper {
  const shipper = createShipper(destination, { closeTimeoutMs: 60_000, ...options });
  onTestFinished(async () => void (await shipper.close({ timeoutMs: 0 })));
  return shipper;
}
