import { channel } from 'node:diagnostics_channel';
import { onTestFinished } from 'vitest';
import {
  createShipper,
  type DeliveryError,
  type DeliveryOptions,
  type Drop,
  type ErrorMessage,
  type Shipper,
} from '../../src/index.js';
import { VirtualClock } from '../../src/testing/virtual-clock.js';
import { RecordingDestination } from './recording-destination.js';

export interface Started {
  readonly shipper: Shipper;
  readonly destination: RecordingDestination;
  readonly clock: VirtualClock;
  readonly errors: DeliveryError[];
  readonly drops: Drop[];
}

/** A shipper on a virtual clock, without notices of drops, and and by default with the longest jitter. */
export function start(
  options: DeliveryOptions = {},
  { destination = new RecordingDestination(), random = (): number => 0.999_999 } = {},
): Started {
  const clock = new VirtualClock();
  const errors: DeliveryError[] = [];
  const drops: Drop[] = [];
  const reporting = { onError: (error: DeliveryError) => errors.push(error), onDrop: (drop: Drop) => drops.push(drop) };
  const shipper = createShipper(destination, { ...reporting, dropNotice: false, ...options }, { clock, random });
  return { shipper, destination, clock, errors, drops };
}

/** The errors of all attempts that fail in this test from now on, also of those that `onError` is not called with. */
export function watchAttempts(): readonly DeliveryError[] {
  const errors: DeliveryError[] = [];
  const listen = (message: unknown): void => void errors.push((message as ErrorMessage).error);
  channel('logferry:error').subscribe(listen);
  onTestFinished(() => void channel('logferry:error').unsubscribe(listen));
  return errors;
}
