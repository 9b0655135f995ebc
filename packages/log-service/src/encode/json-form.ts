import { type Batch, enclosePayloads, utf8Bytes } from '@logferry/core';
import type { Field, LogForm } from './log-form.js';
import { headTextOf } from './route.js';
import { quotedTextOf } from './text.js';

/** The text before a field's value: of the first field of a log, and of all others. */
interface JsonLabel {
  readonly first: string;
  readonly next: string;
}

/**
 * The body of PutWebTracking. The service stores no time of the event, so that a log has it as a field.
 * https://www.alibabacloud.com/help/en/sls/developer-reference/api-putwebtracking
 */
export class JsonForm implements LogForm<string, JsonLabel> {
  readonly contentType = 'application/json';
  readonly separator = ',';
  /** The braces and the comma, less the comma that the first field does not have. */
  readonly emptyLogBytes = 2;
  #json = '';

  another(): JsonForm {
    return new JsonForm();
  }

  labelOf(key: string): JsonLabel {
    const first = `${JSON.stringify(key)}:`;
    return { first: `{${first}`, next: `,${first}` };
  }

  begin(): void {
    this.#json = '';
  }

  add({ first, next }: JsonLabel, value: unknown, maxChars: number): void {
    const text = quotedTextOf(value, maxChars);
    if (text !== undefined) this.#json += (this.#json === '' ? first : next) + text;
  }

  end(): string | undefined {
    return this.#json === '' ? undefined : `${this.#json}}`;
  }

  bytesOf(payload: string): number {
    return Buffer.byteLength(payload) + 1;
  }

  fieldsOf(payload: string): readonly Field[] {
    return Object.entries<string>(JSON.parse(payload));
  }

  withFields(_payload: string, fields: readonly Field[]): string {
    return `{${fields.map(([key, text]) => `${JSON.stringify(key)}:${JSON.stringify(text)}`).join(',')}}`;
  }

  /** Four quotes, a colon and a comma. */
  fieldOverheadBytes(key: string): number {
    return Buffer.byteLength(JSON.stringify(key)) + 4;
  }

  /** Between the quotes. */
  textBytes(text: string): number {
    return Buffer.byteLength(JSON.stringify(text)) - 2;
  }

  /** As `JSON.stringify` writes it. */
  codePointBytes(codePoint: number): number {
    if (codePoint >= 0x20) return codePoint === QUOTE || codePoint === BACKSLASH ? 2 : utf8Bytes(codePoint);
    return SHORT_ESCAPES.includes(codePoint) ? 2 : 6;
  }

  bodyOf(batch: Batch): Uint8Array {
    return enclosePayloads(batch, headTextOf(batch.route).slice(0, -1) + LOGS, END);
  }

  baseBytesOf(route: string): number {
    return Buffer.byteLength(headTextOf(route)) - 1 + LOGS.length + END.length;
  }
}

const LOGS = ',"__logs__":[';
const END = ']}';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** \b \t \n \f \r */
const SHORT_ESCAPES: readonly number[] = [0x08, 0x09, 0x0a, 0x0c, 0x0d];
