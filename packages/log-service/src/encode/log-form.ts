import type { Batch } from '@logferry/core';

/** Name and text of a field. */
export type Field = readonly [key: string, text: string];

/** How logs are joined to a request body. */
export interface BodyForm {
  /** The media type of a body. */
  readonly contentType: string;
  /** Between two payloads in a body. Its bytes count as those of each payload. */
  readonly separator: ',' | '';
  /** Makes a request body. */
  bodyOf(batch: Batch): Uint8Array;
  /** Bytes of a body before its first log. */
  baseBytesOf(route: string): number;
}

/** How logs stand in a request body: as JSON for web tracking, as protobuf for signed writes. It writes one log at a time. */
export interface LogForm<Payload extends string | Uint8Array, Label> extends BodyForm {
  /** One that can write a log while this one does. */
  another(): LogForm<Payload, Label>;
  /** Prepares a name that many logs have. */
  labelOf(key: string): Label;
  /** Begins a log. `time`: whole epoch milliseconds. */
  begin(time: number): void;
  /** Adds a field, with the text that {@link textOf} makes of its value; none for a value without a text. */
  add(label: Label, value: unknown, maxChars: number): void;
  /** Ends the log. `undefined` for one without fields. */
  end(): Payload | undefined;

  /** Bytes of a payload in a body, with its separator. */
  bytesOf(payload: Payload): number;
  /** The fields of a payload. */
  fieldsOf(payload: Payload): readonly Field[];
  /** A payload with the time of another one, and these fields. */
  withFields(payload: Payload, fields: readonly Field[]): Payload;
  /** Most bytes of a payload without fields, with its separator. */
  readonly emptyLogBytes: number;
  /** Most bytes of a field, beside those of its text. */
  fieldOverheadBytes(key: string): number;
  /** Bytes of the text of a field. */
  textBytes(text: string): number;
  /** Bytes of a code point in the text of a field. */
  codePointBytes(codePoint: number): number;
}
