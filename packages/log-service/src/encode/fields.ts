import { stripVTControlCharacters } from 'node:util';
import { type FieldsRecord, levelLabel as labelOfLevel, toEpochMs } from '@logferry/core';
import { isValidKey, KeyRenamer } from './keys.js';
import type { LogForm } from './log-form.js';
import { sharedSequence } from './sequence.js';
import { read, textOf } from './text.js';

/** The field for the label of the level. */
export const LEVEL_FIELD: string = 'level';

/** The field of the framework's own time. */
const FRAMEWORK_TIME_FIELD = 'time';

/** The names of the fields that we add; without a name, there is no such field. */
export interface OwnFields {
  readonly timeField: string | undefined;
  readonly sequenceField: string | undefined;
}

/**
 * Makes a function that writes a record as a log: time, sequence number and level, then the record's fields. `time` is the
 * record's time in whole epoch milliseconds, and valid. A text of more than `maxChars` is cut. It returns `undefined` for a
 * record without anything to write.
 */
export function createFieldsWriter<Payload extends string | Uint8Array, Label>(
  form: LogForm<Payload, Label>,
  { timeField, sequenceField }: OwnFields,
  maxChars: number,
): (record: FieldsRecord, time: number) => Payload | undefined {
  const ours = [timeField, sequenceField, LEVEL_FIELD].filter((name) => name !== undefined);
  const timeLabel = timeField === undefined ? undefined : form.labelOf(timeField);
  const sequenceLabel = sequenceField === undefined ? undefined : form.labelOf(sequenceField);
  const levelLabel = form.labelOf(LEVEL_FIELD);
  const ownTimeField = timeField ?? FRAMEWORK_TIME_FIELD;
  const nextNumber = sharedSequence();
  const toIso = createIsoFormat();
  const labels = new Map<string, Label | undefined>();

  /** `undefined` if the service does not take the key, or it is ours, or that of the framework's own time. */
  function labelOf(key: string): Label | undefined {
    const known = labels.get(key);
    if (known !== undefined || labels.has(key)) return known;
    const isOrdinary = isValidKey(key) && !ours.includes(key) && key !== ownTimeField;
    const label = isOrdinary ? form.labelOf(key) : undefined;
    if (labels.size < MAX_LABELS) labels.set(key, label);
    return label;
  }

  return (record, time) => {
    const { fields, level } = record;
    const keys = Object.keys(fields);
    const misnamed: [key: string, text: string][] = [];
    form.begin(time);
    if (timeLabel !== undefined) form.add(timeLabel, toIso(time), maxChars);
    if (sequenceLabel !== undefined) form.add(sequenceLabel, nextNumber(), maxChars);
    if (level !== '') form.add(levelLabel, level, maxChars);
    for (const key of keys) {
      const value = read(fields, key);
      const label = labelOf(key);
      if (label !== undefined) {
        form.add(label, value, maxChars);
        continue;
      }
      if (key === ownTimeField && isTime(value, time)) continue;
      if (key === LEVEL_FIELD && isLevel(value, level)) continue;
      const text = textOf(value, maxChars);
      if (text !== undefined) misnamed.push([key, text]);
    }
    if (misnamed.length > 0) {
      const renamer = new KeyRenamer([...ours, ...keys]);
      for (const [key, text] of misnamed) {
        const isTaken = ours.includes(key) || !isValidKey(key);
        form.add(form.labelOf(isTaken ? renamer.rename(key) : key), text, maxChars);
      }
    }
    return form.end();
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
