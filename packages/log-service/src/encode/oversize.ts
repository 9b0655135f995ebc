import { findCap, MAX_PART_HEADER_BYTES, split, truncate } from '@logferry/core';
import { MAX_SPLIT_CHARS, MAX_VALUE_BYTES } from '../limits.js';
import { KeyRenamer } from './keys.js';
import type { Field, LogForm } from './log-form.js';

export type Oversize = 'truncate' | 'split' | 'drop';

/** The most characters of a value's text that a policy needs: the rest is cut before it costs anything. */
export const MAX_CHARS: Readonly<Record<Oversize, number>> = {
  truncate: MAX_VALUE_BYTES,
  split: MAX_SPLIT_CHARS,
  // A value that is cut to this is still too long.
  drop: 2 * MAX_VALUE_BYTES,
};

/** Sizes in the form of the logs. */
type Sizes = Pick<LogForm<never, unknown>, 'emptyLogBytes' | 'fieldOverheadBytes' | 'textBytes' | 'codePointBytes'>;

/** The policy for a record that may be too large. */
interface Fitting {
  /** Most bytes of a payload, with its separator. */
  readonly maxBytes: number;
  readonly policy: Oversize;
  /** Fields that are the last to be left out. */
  readonly important: ReadonlySet<string>;
}

/**
 * Fits a record that may be too large: returns the payloads to send in its place, each within the limit and with no value over
 * the service's limit; the same payload if it fits; none if the policy is to drop it. Values are shortened, and if that is not
 * enough, fields left out.
 */
export function fitPayload<Payload extends string | Uint8Array>(
  form: LogForm<Payload, unknown>,
  payload: Payload,
  fitting: Fitting,
): readonly Payload[] {
  const fields = form.fieldsOf(payload);
  if (form.bytesOf(payload) <= fitting.maxBytes && fields.every(([, text]) => !isTooLong(text))) return [payload];
  if (fitting.policy === 'drop') return [];
  const fitter = new Fitter(form, fitting.important);
  const parts = fitting.policy === 'split' ? fitter.splitLongest(fields, fitting.maxBytes) : [];
  const logs = parts.length > 1 ? parts : [fitter.shorten(fields, fitting.maxBytes)];
  return logs.map((log) => form.withFields(payload, log));
}

/** The least that is left of a shortened value, in bytes: room for its mark. */
const MIN_SHORTENED_BYTES = 64;

class Fitter {
  readonly #sizes: Sizes;
  readonly #important: ReadonlySet<string>;
  readonly #codePointBytes: (codePoint: number) => number;

  constructor(sizes: Sizes, important: ReadonlySet<string>) {
    this.#sizes = sizes;
    this.#important = important;
    this.#codePointBytes = (codePoint) => sizes.codePointBytes(codePoint);
  }

  /** A log for each part of the longest value, with all other fields. One or none: the value is not to blame. */
  splitLongest(fields: readonly Field[], maxBytes: number): readonly (readonly Field[])[] {
    const sizes = fields.map(([, text]) => this.#sizes.textBytes(text));
    const longest = sizes.indexOf(sizes.reduce((most, size) => Math.max(most, size), 0));
    const [key, text] = fields[longest] ?? ['', ''];
    const rest = fields.filter((_field, index) => index !== longest);
    const others = this.shorten(rest, maxBytes / 2);
    const roomBytes = maxBytes - this.#logBytes([...others, [key, '']]);
    if (roomBytes < MAX_PART_HEADER_BYTES + MIN_SHORTENED_BYTES) return [];
    const limits = [{ maxBytes: roomBytes, bytesOf: this.#codePointBytes }, { maxBytes: MAX_VALUE_BYTES }];
    return split(text, ...limits).map((part) => [...others, [key, part]]);
  }

  /** Cuts the values over the service's limit, then the longest values, then leaves out fields until all fit. */
  shorten(fields: readonly Field[], maxBytes: number): readonly Field[] {
    const cut = fields.map(([key, text]): Field => [key, isTooLong(text) ? truncate(text, MAX_VALUE_BYTES) : text]);
    if (this.#logBytes(cut) <= maxBytes) return cut;
    const sizes = cut.map(([, text]) => this.#sizes.textBytes(text));
    const capBytes = findCap(sizes, maxBytes - this.#logBytes(cut.map(([key]) => [key, '']))) ?? 0;
    if (capBytes < MIN_SHORTENED_BYTES) return this.#leaveOut(cut, maxBytes);
    return cut.map(([key, text], index) =>
      (sizes[index] ?? 0) > capBytes ? [key, truncate(text, capBytes, this.#codePointBytes)] : [key, text],
    );
  }

  /** Keeps the important fields, then the others in their order as far as they fit, and states how many it leaves out. */
  #leaveOut(fields: readonly Field[], maxBytes: number): readonly Field[] {
    const kept: Field[] = [];
    let leftBytes = maxBytes - this.#sizes.emptyLogBytes - MAX_NOTE_BYTES;
    const keep = ([key, text]: Field): void => {
      const bytes = this.#sizes.fieldOverheadBytes(key) + this.#sizes.textBytes(text);
      if (bytes > leftBytes) return;
      leftBytes -= bytes;
      kept.push([key, text]);
    };
    const capBytes = Math.max(MIN_SHORTENED_BYTES, Math.floor(maxBytes / 4));
    for (const [key, text] of fields) {
      if (!this.#important.has(key)) continue;
      keep([key, this.#sizes.textBytes(text) > capBytes ? truncate(text, capBytes, this.#codePointBytes) : text]);
    }
    for (const field of fields) if (!this.#important.has(field[0])) keep(field);
    const taken = kept.map(([key]) => key);
    const name = taken.includes(NOTE) ? new KeyRenamer(taken).rename(NOTE) : NOTE;
    return [...kept, [name, JSON.stringify({ leftOutFields: fields.length - kept.length })]];
  }

  #logBytes(fields: readonly Field[]): number {
    const { emptyLogBytes } = this.#sizes;
    return fields.reduce(
      (sum, [key, text]) => sum + this.#sizes.fieldOverheadBytes(key) + this.#sizes.textBytes(text),
      emptyLogBytes,
    );
  }
}

/** The field that says what was left out, as in messages to CloudWatch that are too large. */
const NOTE = 'logferry';
const MAX_NOTE_BYTES = 64;

function isTooLong(text: string): boolean {
  return Buffer.byteLength(text) > MAX_VALUE_BYTES;
}
