/** The form of payloads: in `'mixed'` batches the length of a text decides. */
export type Form = 'text' | 'bytes' | 'mixed';

/** The bytes before and behind the text of a payload that is bytes: neither of them is UTF-8. */
const HEAD = 0xff;
const TAIL = 0x80;

/** The payload of a text. Bytes are a part of a larger buffer. */
export function payloadOf(text: string, form: Form): string | Uint8Array {
  if (form === 'text' || (form === 'mixed' && text.length % 2 === 0)) return text;
  return Buffer.concat([Buffer.of(0, HEAD), Buffer.from(text), Buffer.of(TAIL, 0)]).subarray(1, -1);
}

/** The text of a payload, which is in the form that {@link payloadOf} gave it; else no text that was logged. */
export function textOf(payload: string | Uint8Array): string {
  if (typeof payload === 'string') return payload;
  const bytes = Buffer.from(payload);
  const isIntact = bytes[0] === HEAD && bytes.at(-1) === TAIL;
  return isIntact ? bytes.toString('utf8', 1, bytes.length - 1) : `damaged: ${bytes.toString('latin1')}`;
}
