import { DeliveryError } from '@logferry/core';
import type { Context } from './check.js';
import type { Place } from './clouds/cloud.js';
import { skipped } from './finding.js';
import { routeOfRecord } from './marked-record.js';

/** Looks for the place of the marked record, once a run. Rejects if the service does not take the credentials. */
export function lookFor(context: Context, signal: AbortSignal): Promise<Place> {
  const known = places.get(context);
  if (known) return known;
  const place = look(context, signal);
  places.set(context, place);
  return place;
}

const places = new WeakMap<Context, Promise<Place>>();

async function look({ cloud }: Context, signal: AbortSignal): Promise<Place> {
  const route = routeOfRecord(cloud.createDestination());
  try {
    return await cloud.find(route, signal);
  } catch (error) {
    // A look has quotas of its own, which say nothing of a write.
    if (!DeliveryError.is(error) || error.code !== 'THROTTLED') throw error;
    const unknown = skipped(`the service is too busy for a look: ${error.message}`);
    return { isAnswered: true, access: unknown, target: unknown };
  }
}
