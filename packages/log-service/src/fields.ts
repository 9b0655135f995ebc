import { stripVTControlCharacters } from 'node:util';
import { type FieldsRecord, levelLabel as labelOfLevel, toEpochMs } from '@logferry/core';
import { isValidKey, KeyRenamer } from './keys.js';
import { sharedSequence } from './sequence.js';
import { quotedTextOf, read, textOf } from './text.js';

/** The field for the label of the level. */
export const LEVEL_FIELD: string = 'level';

/**
 * Makes a function that writes a record as a JSON object of strings: time, sequence number and level, then the record's
 * fields. `time` is the record's time in whole epoch milliseconds, and valid. A text of more than `maxChars` is cut.
 */
export function createFieldsWriter(
  timeField: string,
  sequenceField: string,
  maxChars: number,
): (record: FieldsRecord, time: number) => string {
  const ours: readonly string[] = [timeField, sequenceField, LEVEL_FIELD];
  const [timeLabel, sequenceLabel, levelLabel] = ours.map((key) => `${JSON.stringify(key)}:`);
  const nextNumber = sharedSequence();
  const toIso = createIsoFormat();
  const labels = new Map<string, string>();

  /** The text before a field's value: `,"key":`. Empty if the service does not take the key, or it is ours. */
  function labelOf(key: string): string {
    let label = labels.get(key);
    if (label === undefined) {
      label = isValidKey(key) && !ours.includes(key) ? `,${JSON.stringify(key)}:` : '';
      if (labels.size < MAX_LABELS) labels.set(key, label);
    }
    return label;
  }

  return (record, time) => {
    const { fields, level } = record;
    const keys = Object.keys(fields);
    const misnamed: [key: string, text: string][] = [];
    let json = `{${timeLabel}"${toIso(time)}",${sequenceLabel}"${nextNumber()}"`;
    if (level !== '') json += `,${levelLabel}${quotedTextOf(level, maxChars) ?? '""'}`;
    for (const key of keys) {
      const value = read(fields, key);
      const label = labelOf(key);
      if (label === '' && key === timeField && isTime(value, time)) continue;
      if (label === '' && key === LEVEL_FIELD && isLevel(value, level)) continue;
      const text = quotedTextOf(value, maxChars);
      if (text === undefined) continue;
      if (label === '') misnamed.push([key, text]);
      else json += label + text;
    }
    if (misnamed.length > 0) {
      const renamer = new KeyRenamer([...ours, ...keys]);
      for (const [key, text] of misnamed) json += `,${JSON.stringify(renamer.rename(key))}:${text}`;
    }
    return `${json}}`;
  };
}

/**
 * Copies fields for a trip through JSON, after which they are written the same: the text of long strings, errors, maps, BigInts
 * and other values that JSON cannot express takes their place.
 */
export function plainFields(fields: FieldsRecord['fields'], maxChars: number): object {
  // Without a prototype no key is special.
  const plain: Record<string, unknown> = Object.create(null);
  for (const key of Object.keys(fields)) {
    const value = read(fields, key);
    const isPlain = typeof value === 'boolean' || Number.isFinite(value);
    plain[key] = isPlain ? value : textOf(value, maxChars);
  }
  return plain;
}

/** More keys than most programs have. Bounds memory when a program invents keys. */
const MAX_LABELS = 2000;

/** Whether the value is the framework's own time, and says no more than the milliseconds that are stored. */
function isTime(value: unknown, time: number): boolean {
  if (value === time) return true;
  return toEpochMs(value, Number.NaN) === time && (typeof value === 'object' || !FINER_THAN_MS.test(String(value)));
}

/** The fourth decimal of seconds, the first of milliseconds, microseconds, nanoseconds. */
const FINER_THAN_MS = /[.,]\d{4}|^\d{12,13}\.|^\d{14}/;

/** Whether the value is the framework's own level: its number, or the label, which may be coloured or in capitals. */
function isLevel(value: unknown, label: string): boolean {
  const text = typeof value === 'number' ? labelOfLevel(value) : value;
  if (typeof text !== 'string') return false;
  return text === label || stripVTControlCharacters(text).trim().toLowerCase() === label.toLowerCase();
}

/** Makes a formatter that caches the last time: many records have the time of the previous one. */
function createIsoFormat(): (time: number) => string {
  let last = Number.NaN;
  let iso = '';
  return (time) => {
    if (time !== last) {
      iso = new Date(time).toISOString();
      last = time;
    }
    return iso;
  };
}
