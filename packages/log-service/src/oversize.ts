import { findCap, MAX_PART_HEADER_BYTES, split, truncate, utf8Bytes } from '@logferry/core';
import { MAX_VALUE_BYTES } from './limits.js';

/**
 * Fits a record that may be too large: returns the payloads to send in its place, each of at most `maxBytes` of UTF-8 and with
 * no value over the service's limit; the same payload if it fits; none if the record has to be dropped.
 */
export function fitPayload(
  payload: string,
  maxBytes: number,
  policy: 'truncate' | 'split' | 'drop',
): readonly string[] {
  const fields = Object.entries<string>(JSON.parse(payload));
  if (Buffer.byteLength(payload) <= maxBytes && fields.every(([, text]) => !isTooLong(text))) return [payload];
  if (policy === 'drop') return [];
  if (policy === 'split') return splitLongest(fields, maxBytes);
  const shortened = shorten(fields, maxBytes);
  return shortened ? [toPayload(shortened)] : [];
}

/** Name and text. */
type Field = readonly [key: string, text: string];

/** The least that is left of a shortened value, in bytes: room for its mark. */
const MIN_SHORTENED_BYTES = 64;

/** Makes a payload of each part of the longest value, with all other fields. */
function splitLongest(fields: readonly Field[], maxBytes: number): string[] {
  const sizes = fields.map(([, text]) => sizeInJson(text));
  const longest = sizes.indexOf(sizes.reduce((most, size) => Math.max(most, size), 0));
  const [key, text] = fields[longest] ?? ['', ''];
  const others = shorten(
    fields.filter((_field, index) => index !== longest),
    maxBytes / 2,
  );
  const roomBytes = maxBytes - sizeOf([...(others ?? []), [key, '']]);
  if (!others || roomBytes < MAX_PART_HEADER_BYTES + MIN_SHORTENED_BYTES) return [];
  const limits = [{ maxBytes: roomBytes, bytesOf: jsonBytes }, { maxBytes: MAX_VALUE_BYTES }];
  return split(text, ...limits).map((part) => toPayload([...others, [key, part]]));
}

/**
 * Cuts the values over the service's limit, then the longest values until all fit. Returns `undefined` if that is not
 * enough.
 */
function shorten(fields: readonly Field[], maxBytes: number): readonly Field[] | undefined {
  const cut = fields.map(([key, text]): Field => [key, isTooLong(text) ? truncate(text, MAX_VALUE_BYTES) : text]);
  if (sizeOf(cut) <= maxBytes) return cut;
  const sizes = cut.map(([, text]) => sizeInJson(text));
  const capBytes = findCap(sizes, maxBytes - sizeOf(cut.map(([key]) => [key, ''])));
  if (capBytes === undefined || capBytes < MIN_SHORTENED_BYTES) return undefined;
  // The mark names the size of the whole value, so a value is cut once.
  return fields.map(([key, text], index) =>
    (sizes[index] ?? 0) > capBytes ? [key, truncate(text, capBytes, jsonBytes)] : [key, text],
  );
}

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
