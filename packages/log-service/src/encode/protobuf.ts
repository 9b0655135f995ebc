// The parts of the wire format that a LogGroup needs: https://protobuf.dev/programming-guides/encoding/

/** The wire type of a field, in the lower bits of its tag. */
export const VARINT = 0;
export const LENGTH_DELIMITED = 2;
export const FIXED32 = 5;

/** The tag of a field. All numbers here are below 16, so that a tag is one byte. */
export function tagOf(number: number, wireType: number): number {
  return (number << 3) | wireType;
}

/** Bytes of a varint. `value`: an unsigned integer of 32 bits. */
export function varintBytes(value: number): number {
  if (value < 0x80) return 1;
  if (value < 0x4000) return 2;
  if (value < 0x20_0000) return 3;
  return value < 0x1000_0000 ? 4 : 5;
}

/** Writes a varint of up to 32 bits. Returns its end. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let end = at;
  let rest = value;
  while (rest > 0x7f) {
    bytes[end++] = (rest & 0x7f) | 0x80;
    rest >>>= 7;
  }
  bytes[end++] = rest;
  return end;
}

/** A field with its tag and its length. */
export function lengthDelimited(tag: number, content: Uint8Array): Uint8Array {
  const head = new Uint8Array(1 + varintBytes(content.length));
  head[0] = tag;
  writeVarint(head, 1, content.length);
  return Buffer.concat([head, content]);
}

/** A field that is a text. */
export function stringField(tag: number, text: string): Uint8Array {
  return lengthDelimited(tag, Buffer.from(text));
}

/** A field that was read: its tag, and its number or its bytes. */
export interface ProtobufField {
  readonly tag: number;
  readonly value: number;
  readonly bytes: Buffer;
}

/** Reads the fields of a message that was written here. */
export function fieldsIn(message: Uint8Array): readonly ProtobufField[] {
  const buffer = Buffer.from(message.buffer, message.byteOffset, message.length);
  const fields: ProtobufField[] = [];
  let at = 0;
  const varint = (): number => {
    let value = 0;
    for (let factor = 1; ; factor *= 0x80) {
      const byte = buffer.readUInt8(at++);
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
    }
  };
  while (at < buffer.length) {
    const tag = varint();
    const isFixed = (tag & 7) === FIXED32;
    const value = isFixed ? buffer.readUInt32LE(at) : varint();
    const from = at;
    if (isFixed) at += 4;
    else if ((tag & 7) === LENGTH_DELIMITED) at += value;
    fields.push({ tag, value, bytes: buffer.subarray(from, at) });
  }
  return fields;
}
