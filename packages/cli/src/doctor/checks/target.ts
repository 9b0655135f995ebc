import type { Place } from '../clouds/cloud.js';
import type { Check, Context } from '../finding.js';
import { ok, skipped } from '../finding.js';
import { routeOfRecord } from '../marked-record.js';

export const access: Check = {
  name: 'access',
  needs: ['credentials', 'service'],
  async run(context, signal) {
    const { isKnown } = await lookFor(context, signal);
    const { title } = context.cloud;
    return isKnown === undefined
      ? skipped('web tracking shows it only by a write')
      : ok(`${title} takes the credentials`);
  },
};

export const target: Check = {
  name: 'target',
  needs: ['access'],
  async run(context, signal) {
    const { finding } = await lookFor(context, signal);
    return finding;
  },
};

/** Looks once a run. */
function lookFor(context: Context, signal: AbortSignal): Promise<Place> {
  const known = places.get(context);
  if (known) return known;
  const place = look(context, signal);
  places.set(context, place);
  return place;
}

const places = new WeakMap<Context, Promise<Place>>();

async function look({ cloud }: Context, signal: AbortSignal): Promise<Place> {
  return cloud.find(routeOfRecord(cloud.createDestination()), signal);
}
