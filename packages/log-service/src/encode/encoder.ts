import { type Encoding, type FieldsRecord, toDateMs } from '@logferry/core';
import { MAX_VALUE_BYTES, MIN_LOG_BYTES } from '../limits.js';
import type { Routing } from '../options/routing.js';
import { createFieldsWriter, LEVEL_FIELD, type OwnFields } from './fields.js';
import type { LogForm } from './log-form.js';
import { fitPayload, MAX_CHARS, type Oversize } from './oversize.js';

/** The options that decide what becomes of a record. */
export interface EncoderOptions extends OwnFields {
  readonly routing: Routing;
  readonly maxBatchBytes: number;
  readonly oversize: Oversize;
}

/** Makes the `encode` of a destination. */
export function createEncoder<Payload extends string | Uint8Array, Label>(
  form: LogForm<Payload, Label>,
  options: EncoderOptions,
): (record: FieldsRecord) => Encoding {
  const encode = createUnsharedEncoder(form, options);
  let isEncoding = false;
  return (record) => {
    // A getter, or `toJSON`, of a value logs a record.
    if (isEncoding) return createEncoder(form.another(), options)(record);
    isEncoding = true;
    try {
      return encode(record);
    } finally {
      isEncoding = false;
    }
  };
}

/** It writes one record at a time. */
function createUnsharedEncoder<Payload extends string | Uint8Array, Label>(
  form: LogForm<Payload, Label>,
  { routing, maxBatchBytes, oversize, ...ownFields }: EncoderOptions,
): (record: FieldsRecord) => Encoding {
  const write = createFieldsWriter(form, ownFields, MAX_CHARS[oversize]);
  const { timeField, sequenceField } = ownFields;
  const important = new Set(
    [timeField, sequenceField, LEVEL_FIELD, ...MESSAGE_FIELDS].filter((key) => key !== undefined),
  );
  const roomOf = (route: string): number => maxBatchBytes - form.baseBytesOf(route);
  const fixedRoom = routing.fixed === undefined ? undefined : roomOf(routing.fixed);
  return (record) => {
    const time = toDateMs(record.time) ?? Date.now();
    const route = routing.fixed ?? routing.of(time === record.time ? record : { ...record, time });
    const maxBytes = fixedRoom ?? roomOf(route);
    if (maxBytes < MIN_LOG_BYTES)
      throw new RangeError('route: expected tags that leave room for a log (maxBatchBytes)');
    const payload = write(record, time);
    if (payload === undefined) return { refused: 'invalid' };
    const bytes = form.bytesOf(payload);
    if (bytes <= maxBytes && bytes <= MAX_VALUE_BYTES) return { route, time, payload, bytes };
    const payloads = fitPayload(form, payload, { maxBytes, policy: oversize, important });
    if (payloads.length === 0) return { refused: 'too-large' };
    return payloads.map((part) => ({ route, time, payload: part, bytes: form.bytesOf(part) }));
  };
}

/** The field for the text: of winston, of pino and bunyan. */
const MESSAGE_FIELDS: readonly string[] = ['message', 'msg'];
