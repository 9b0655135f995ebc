import type { Destination, DestinationDescription } from '../contract/destination.js';

/** A name of more characters is cut. */
const MAX_CHARS = 200;

/** What the destination says of itself, or of a route. It may be a third party's, and throw. */
export function describe(destination: Destination, route?: string): DestinationDescription {
  try {
    return destination.describe?.(route) ?? {};
  } catch {
    return {};
  }
}

/** Names a route for people. */
export function targetOf(destination: Destination, route: string): string {
  const { target } = describe(destination, route);
  const name = typeof target === 'string' && target !== '' ? target : `route ${JSON.stringify(route)}`;
  return name.length > MAX_CHARS ? `${name.slice(0, MAX_CHARS)}…` : name;
}
