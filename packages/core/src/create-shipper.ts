import { Listing } from './accounting/listing.js';
import type { Destination } from './contract/destination.js';
import { ConfigError } from './contract/errors.js';
import { createCoreShipper } from './core-shipper.js';
import {
  type DeliveryOptions,
  type ResolvedDeliveryOptions,
  resolveDeliveryOptions,
} from './options/delivery-options.js';
import type { Seams, Shipper } from './shipper.js';
import { createThreadShipper } from './thread/thread-shipper.js';

/**
 * Starts a shipper for one destination: in this thread, or with `thread: true` in a worker thread. No request is made before
 * the first record. Throws `ConfigError` for wrong options, for a destination that lacks a member, and for options that cannot
 * go to a thread.
 */
export function createShipper(destination: Destination, options: DeliveryOptions = {}, seams: Seams = {}): Shipper {
  const resolved = resolveDeliveryOptions(options, destination);
  if (resolved.hooks !== undefined && !resolved.thread) {
    const message = 'hooks: expected to be absent without thread: true: in this thread, functions can be options';
    throw new ConfigError('hooks', message);
  }
  const listing = new Listing(destination.name);
  const shipper = resolved.thread
    ? createInThread(destination, options, resolved, seams, listing)
    : createCoreShipper(destination, options, { ...seams, listing }, resolved);
  listing.begin(shipper);
  return shipper;
}

function createInThread(
  destination: Destination,
  options: DeliveryOptions,
  resolved: ResolvedDeliveryOptions,
  seams: Seams,
  listing: Listing,
): Shipper {
  for (const seam of ['clock', 'random', 'files'] as const) {
    if (seams[seam] === undefined) continue;
    throw new ConfigError(
      seam,
      `${seam}: expected to be absent beside thread: true: it cannot go to the worker thread`,
    );
  }
  return createThreadShipper(destination, options, resolved, { ...seams, listing });
}
