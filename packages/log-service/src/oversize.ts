import { findCap, MAX_PART_HEADER_BYTES, split, truncate, utf8Bytes } from '@logferry/core';
import { KeyRenamer } from './keys.js';
import { MAX_SPLIT_CHARS, MAX_VALUE_BYTES } from './limits.js';

export type Oversize = 'truncate' | 'split' | 'drop';

/** The most characters of a value's text that a policy needs: the rest is cut before it costs anything. */
export const MAX_CHARS: Readonly<Record<Oversize, number>> = {
  truncate: MAX_VALUE_BYTES,
  split: MAX_SPLIT_CHARS,
  // A value that is cut to this is still too long.
  drop: 2 * MAX_VALUE_BYTES,
};

/**
 * Fits a record that may be too large: returns the payloads to send in its place, each of at most `maxBytes` of UTF-8 and with
 * no value over the service's limit; the same payload if it fits; none if the policy is to drop it. Values are shortened, and
 * if that is not enough, fields left out: those whose names are in `important` are the last.
 */
export function fitPayload(
  payload: string,
  maxBytes: number,
  policy: Oversize,
  important: ReadonlySet<string>,
): readonly string[] {
  const fields = Object.entries<string>(JSON.parse(payload));
  if (Buffer.byteLength(payload) <= maxBytes && fields.every(([, text]) => !isTooLong(text))) return [payload];
  if (policy === 'drop') return [];
  const parts = policy === 'split' ? splitLongest(fields, maxBytes, important) : [];
  return parts.length > 1 ? parts : [toPayload(shorten(fields, maxBytes, important))];
}

/** Name and text. */
type Field = readonly [key: string, text: string];

/** The least that is left of a shortened value, in bytes: room for its mark. */
const MIN_SHORTENED_BYTES = 64;

/** Makes a payload of each part of the longest value, with all other fields. One or none: the value is not to blame. */
function splitLongest(fields: readonly Field[], maxBytes: number, important: ReadonlySet<string>): string[] {
  const sizes = fields.map(([, text]) => sizeInJson(text));
  const longest = sizes.indexOf(sizes.reduce((most, size) => Math.max(most, size), 0));
  const [key, text] = fields[longest] ?? ['', ''];
  const rest = fields.filter((_field, index) => index !== longest);
  const others = shorten(rest, maxBytes / 2, important);
  const roomBytes = maxBytes - sizeOf([...others, [key, '']]);
  if (roomBytes < MAX_PART_HEADER_BYTES + MIN_SHORTENED_BYTES) return [];
  const limits = [{ maxBytes: roomBytes, bytesOf: jsonBytes }, { maxBytes: MAX_VALUE_BYTES }];
  return split(text, ...limits).map((part) => toPayload([...others, [key, part]]));
}

/** Cuts the values over the service's limit, then the longest values, then leaves out fields until all fit. */
function shorten(fields: readonly Field[], maxBytes: number, important: ReadonlySet<string>): readonly Field[] {
  const cut = fields.map(([key, text]): Field => [key, isTooLong(text) ? truncate(text, MAX_VALUE_BYTES) : text]);
  if (sizeOf(cut) <= maxBytes) return cut;
  const sizes = cut.map(([, text]) => sizeInJson(text));
  const capBytes = findCap(sizes, maxBytes - sizeOf(cut.map(([key]) => [key, '']))) ?? 0;
  if (capBytes < MIN_SHORTENED_BYTES) return leaveOut(cut, maxBytes, important);
  return cut.map(([key, text], index) =>
    (sizes[index] ?? 0) > capBytes ? [key, truncate(text, capBytes, jsonBytes)] : [key, text],
  );
}

/** Keeps the important fields, then the others in their order as far as they fit, and states how many it leaves out. */
function leaveOut(fields: readonly Field[], maxBytes: number, important: ReadonlySet<string>): readonly Field[] {
  const kept: Field[] = [];
  let leftBytes = maxBytes - MAX_NOTE_BYTES;
  const keep = ([key, text]: Field): void => {
    // With a comma in place of the two braces.
    const bytes = sizeOf([[key, text]]) - 1;
    if (bytes > leftBytes) return;
    leftBytes -= bytes;
    kept.push([key, text]);
  };
  const capBytes = Math.max(MIN_SHORTENED_BYTES, Math.floor(maxBytes / 4));
  for (const [key, text] of fields) {
    if (important.has(key)) keep([key, sizeInJson(text) > capBytes ? truncate(text, capBytes, jsonBytes) : text]);
  }
  for (const field of fields) if (!important.has(field[0])) keep(field);
  const taken = kept.map(([key]) => key);
  const name = taken.includes(NOTE) ? new KeyRenamer(taken).rename(NOTE) : NOTE;
  return [...kept, [name, JSON.stringify({ leftOutFields: fields.length - kept.length })]];
}

/** The field that says what was left out, as in messages to CloudWatch that are too large. */
const NOTE = 'logferry';
/** With the braces of the record. */
const MAX_NOTE_BYTES = 64;

function isTooLong(text: string): boolean {
  return Buffer.byteLength(text) > MAX_VALUE_BYTES;
}

/** Bytes between the quotes. */
function sizeInJson(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

function sizeOf(fields: readonly Field[]): number {
  return Buffer.byteLength(toPayload(fields));
}

function toPayload(fields: readonly Field[]): string {
  return `{${fields.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`).join(',')}}`;
}

/** Bytes of a code point in a JSON string in UTF-8, as `JSON.stringify` writes it. */
function jsonBytes(codePoint: number): number {
  if (codePoint >= 0x20) return codePoint === QUOTE || codePoint === BACKSLASH ? 2 : utf8Bytes(codePoint);
  return SHORT_ESCAPES.includes(codePoint) ? 2 : 6;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** \b \t \n \f \r */
const SHORT_ESCAPES: readonly number[] = [0x08, 0x09, 0x0a, 0x0c, 0x0d];
