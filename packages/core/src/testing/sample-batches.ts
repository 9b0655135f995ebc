import type { Batch, Destination, EncodedEvent } from '../contract/destination.js';
import { encode } from '../intake/encode.js';
import { recordOf } from './sample-records.js';

/** The event of a text. Throws if the destination makes none of it, or several. */
export function eventOf(
  destination: Destination,
  text: string,
  options?: Parameters<typeof recordOf>[1],
): EncodedEvent {
  const encoding = encode(destination, recordOf(text, options));
  if ('payload' in encoding) return encoding;
  throw new Error(`encode() returned not one event, but ${JSON.stringify(encoding).slice(0, 200)}`);
}

/** The batch of these texts. */
export function batchOf(destination: Destination, texts: readonly string[]): Batch {
  return toBatch(
    destination,
    texts.map((text) => eventOf(destination, text)),
  );
}

/** The batch of events of one route, as the core makes it. */
export function toBatch(destination: Destination, events: readonly EncodedEvent[]): Batch {
  const route = events[0]?.route ?? '';
  const bytes = events.reduce((sum, event) => sum + event.bytes, baseBytesOf(destination, route));
  return { route, events, bytes, separator: destination.separator };
}

/**
 * A batch with the most bytes that the limits allow. Its texts differ, since a service may store equal ones once. They are
 * mostly characters that take more bytes than one, in UTF-8 or in JSON.
 */
export function fullBatch(destination: Destination): Batch {
  const { maxBytes, maxEvents } = destination.limits;
  if (!Number.isFinite(maxBytes)) throw new Error(`limits.maxBytes is ${maxBytes}`);
  const longestText = longestTextOf(destination);
  const longest = sizeOf(destination, 'x'.repeat(longestText));
  // 6 is the most bytes of a code unit in JSON.
  const wideText = (index: number): string =>
    index.toString().padStart(6, '0') + WIDE_CHARACTERS.repeat(longestText / 6 / WIDE_CHARACTERS.length - 1);
  const events: EncodedEvent[] = [];
  let left = maxBytes - baseBytesOf(destination, eventOf(destination, 'x').route);
  const add = (text: string): void => {
    const event = eventOf(destination, text);
    events.push(event);
    left -= event.bytes;
  };
  const addUpTo = (bytes: number, letter: string): void => {
    const fits = (length: number): boolean => sizeOf(destination, letter.repeat(length)) <= bytes;
    add(letter.repeat(lastThat(fits, longestText)));
  };
  while (left > 2 * longest && events.length < maxEvents - 2) add(wideText(events.length));
  if (left > longest && events.length < maxEvents - 1) addUpTo(Math.min(longest, Math.floor(left / 2)), 'x');
  addUpTo(left, 'y');
  return toBatch(destination, events);
}

const WIDE_CHARACTERS = 'é"\\\n\t\u0001';

/** The length of a long text that the destination neither splits nor shortens. */
function longestTextOf(destination: Destination): number {
  let length = 50_000;
  while (length > 6 && sizeOf(destination, 'x'.repeat(length)) <= sizeOf(destination, 'x'.repeat(length - 1)))
    length = Math.floor(length / 2);
  return length;
}

/** Bytes of a text as an event; 0 if it is not one event. */
export function sizeOf(destination: Destination, text: string): number {
  const encoding = encode(destination, recordOf(text));
  return 'payload' in encoding ? encoding.bytes : 0;
}

/** The largest number from 1 to `max` for which the condition holds, if it holds for all smaller ones. */
function lastThat(condition: (candidate: number) => boolean, max: number): number {
  let low = 1;
  let high = max;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (condition(middle)) low = middle;
    else high = middle - 1;
  }
  return low;
}

/** Bytes of a batch of this route before its first event. */
export function baseBytesOf({ limits }: Destination, route: string): number {
  return limits.baseBytes?.(route) ?? 0;
}
