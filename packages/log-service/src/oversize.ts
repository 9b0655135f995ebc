import { randomUUID } from 'node:crypto';
import { endOfSlice, utf8Bytes } from '@logferry/core';
import { jsonBytes } from './json-bytes.js';
import { MAX_VALUE_BYTES } from './limits.js';

/**
 * What becomes of a record that may be too large: the payloads to send in its place, each of at most `maxBytes` of UTF-8
 * and with no value over the service's limit; the same payload if it was not; none when the record has to be dropped.
 */
export function fitPayload(
  payload: string,
  maxBytes: number,
  policy: 'truncate' | 'split' | 'drop',
): readonly string[] {
  const fields = Object.entries<string>(JSON.parse(payload));
  if (Buffer.byteLength(payload) <= maxBytes && fields.every(([, text]) => !isTooLong(text))) return [payload];
  if (policy === 'drop') return [];
  if (policy === 'split') return split(fields, maxBytes);
  const shortened = shorten(fields, maxBytes);
  return shortened ? [toPayload(shortened)] : [];
}

/** Name and text. */
type Field = readonly [key: string, text: string];

/** 7 digits are enough: no string has so many parts. */
const MAX_PART_HEADER_BYTES = '[1234567/1234567 01234567] '.length;

/** A shortened value is not shorter than this, in bytes: room for its mark. */
const MIN_SHORTENED_BYTES = 64;

/** Parts of the longest value, which say their number, how many there are, and an id that they share. */
function split(fields: readonly Field[], maxBytes: number): string[] {
  const sizes = fields.map(([, text]) => sizeInJson(text));
  const longest = sizes.indexOf(sizes.reduce((most, size) => Math.max(most, size), 0));
  const [key, text] = fields[longest] ?? ['', ''];
  const others = shorten(
    fields.filter((_field, index) => index !== longest),
    maxBytes / 2,
  );
  const roomBytes = maxBytes - sizeOf([...(others ?? []), [key, '']]) - MAX_PART_HEADER_BYTES;
  if (!others || roomBytes < MIN_SHORTENED_BYTES) return [];
  const parts: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = Math.min(
      endOfSlice(text, start, roomBytes, jsonBytes),
      endOfSlice(text, start, MAX_VALUE_BYTES - MAX_PART_HEADER_BYTES, utf8Bytes),
    );
    parts.push(text.slice(start, end));
    start = end;
  }
  const id = randomUUID().slice(0, 8);
  return parts.map((part, index) => toPayload([...others, [key, `[${index + 1}/${parts.length} ${id}] ${part}`]]));
}

/** Cuts values over the service's limit, then the longest until all have room. `undefined` when even that is not enough. */
function shorten(fields: readonly Field[], maxBytes: number): readonly Field[] | undefined {
  const cut = fields.map(
    ([key, text]): Field => [key, isTooLong(text) ? shortenTo(text, MAX_VALUE_BYTES, utf8Bytes) : text],
  );
  if (sizeOf(cut) <= maxBytes) return cut;
  const sizes = cut.map(([, text]) => sizeInJson(text));
  const capBytes = findCap(sizes, maxBytes - sizeOf(cut.map(([key]) => [key, ''])));
  if (capBytes < MIN_SHORTENED_BYTES) return undefined;
  return fields.map(([key, text], index) =>
    (sizes[index] ?? 0) > capBytes ? [key, shortenTo(text, capBytes, jsonBytes)] : [key, text],
  );
}

/** The largest size for which all values, the larger ones cut to it, have room in `roomBytes`. */
function findCap(sizes: readonly number[], roomBytes: number): number {
  const ascending = Float64Array.from(sizes).sort();
  let leftBytes = roomBytes;
  for (const [index, size] of ascending.entries()) {
    const shareBytes = Math.floor(leftBytes / (ascending.length - index));
    if (size > shareBytes) return shareBytes;
    leftBytes -= size;
  }
  return Number.POSITIVE_INFINITY;
}

function shortenTo(text: string, maxBytes: number, bytesOf: (codePoint: number) => number): string {
  const mark = `… [truncated from ${Buffer.byteLength(text)} bytes]`;
  return text.slice(0, endOfSlice(text, 0, maxBytes - Buffer.byteLength(mark), bytesOf)) + mark;
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
