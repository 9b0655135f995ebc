import { isUtf8 } from 'node:buffer';
import { invalidEncoding, invalidKey, invalidTimestamp, type Tolerate, unparsable, wrongDataType } from './errors.js';
import { type Log, type LogGroup, TextChecks } from './log-group.js';
import { MAX_SOURCE_BYTES, MAX_TOPIC_BYTES, MAX_VALUE_BYTES } from './rules.js';

/**
 * Decodes the LogGroup of a PutLogs request and checks it by all rules of the service but the number and the times of logs.
 * Throws a ServiceError even for a single bad log. Fields that the documentation does not have are tolerated, since a decoder
 * skips them.
 * https://www.alibabacloud.com/help/en/sls/developer-reference/data-encoding
 */
export function readProtobufGroup(body: Buffer, tolerate: Tolerate): LogGroup {
  const decoder = new Decoder(tolerate);
  const logs: Log[] = [];
  const tags = new Map<string, string>();
  let topic: string | undefined;
  let source: string | undefined;
  const group = new Message(body, 0, body.length, 'LogGroup');
  while (group.next()) {
    switch (group.field) {
      case 1:
        logs.push(decoder.log(group.message(`Logs[${logs.length}]`)));
        break;
      case 3:
        topic = decoder.once(topic, group.text(), 'Topic');
        break;
      case 4:
        source = decoder.once(source, group.text(), 'Source');
        break;
      case 6:
        decoder.pair(group.message('LogTags'), tags, 'LogTags');
        break;
      default:
        decoder.skip(group);
    }
  }
  if (logs.length === 0) throw unparsable('LogGroup has no Logs');
  decoder.checks.text(topic ?? '', 'Topic', MAX_TOPIC_BYTES);
  decoder.checks.text(source ?? '', 'Source', MAX_SOURCE_BYTES);
  return { topic: topic ?? '', source: source ?? '', tags: Object.fromEntries(tags), logs };
}

const MAX_UINT32 = 0xffff_ffff;
const NANOSECONDS_PER_SECOND = 1_000_000_000;

class Decoder {
  readonly checks = new TextChecks();
  readonly #tolerate: Tolerate;

  constructor(tolerate: Tolerate) {
    this.#tolerate = tolerate;
  }

  log(message: Message): Log {
    const { path } = message;
    const fields = new Map<string, string>();
    let seconds: number | undefined;
    let nanoseconds: number | undefined;
    while (message.next()) {
      switch (message.field) {
        case 1:
          seconds = this.once(seconds, message.varint(), `${path}.Time`);
          break;
        case 2:
          this.pair(message.message(path), fields, path);
          break;
        case 4:
          nanoseconds = this.once(nanoseconds, message.fixed32(), `${path}.Time_ns`);
          break;
        default:
          this.skip(message);
      }
    }
    if (seconds === undefined) throw unparsable(`${path} has no Time`);
    if (fields.size === 0) throw wrongDataType(`${path} has no Contents`);
    if (seconds > MAX_UINT32) throw invalidTimestamp(`${path}.Time is ${seconds}`);
    if (nanoseconds !== undefined && nanoseconds >= NANOSECONDS_PER_SECOND) {
      throw invalidTimestamp(`${path}.Time_ns is ${nanoseconds}`);
    }
    return { fields: Object.fromEntries(fields), time: { seconds, nanoseconds } };
  }

  /** Reads a Content or LogTag, two messages of the same form, into `fields`. */
  pair(message: Message, fields: Map<string, string>, path: string): void {
    let key: string | undefined;
    let value: string | undefined;
    while (message.next()) {
      if (message.field === 1) key = this.once(key, message.text(), `a Key in ${path}`);
      else if (message.field === 2) value = this.once(value, message.text(), `a Value in ${path}`);
      else this.skip(message);
    }
    if (key === undefined) throw unparsable(`a Key in ${path} is missing`);
    if (value === undefined) throw unparsable(`a Value in ${path} is missing`);
    this.checks.key(key, path);
    this.checks.text(value, `${path}.${key}`, MAX_VALUE_BYTES);
    if (fields.has(key)) this.#tolerate(invalidKey(`"${key}" in ${path} is repeated`));
    fields.set(key, value);
  }

  /** The last value of a field that is not repeated, as decoders take it. */
  once<Value>(earlier: Value | undefined, value: Value, path: string): Value {
    if (earlier !== undefined) this.#tolerate(unparsable(`${path} comes twice`));
    return value;
  }

  skip(message: Message): void {
    message.skip();
    this.#tolerate(unparsable(`${message.path} has an unknown field ${message.field}`));
  }
}

// https://protobuf.dev/programming-guides/encoding/#structure
const VARINT = 0;
const FIXED64 = 1;
const LENGTH_DELIMITED = 2;
const FIXED32 = 5;
const MAX_VARINT_BYTES = 10;

/** Reads the fields of a message one after the other. */
class Message {
  readonly path: string;
  /** Number of the field that `next` found. */
  field = 0;
  #wireType = 0;
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;

  constructor(bytes: Buffer, start: number, end: number, path: string) {
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.path = path;
  }

  /** Goes to the next field. False at the end of the message. */
  next(): boolean {
    if (this.#at === this.#end) return false;
    const tag = this.#readVarint();
    this.field = Math.floor(tag / 8);
    this.#wireType = tag % 8;
    if (this.field === 0 || tag > MAX_UINT32) throw unparsable(`${this.path} has the invalid tag ${tag}`);
    return true;
  }

  varint(): number {
    this.#expect(VARINT);
    return this.#readVarint();
  }

  fixed32(): number {
    this.#expect(FIXED32);
    return this.#bytes.readUInt32LE(this.#take(4));
  }

  text(): string {
    this.#expect(LENGTH_DELIMITED);
    const start = this.#take(this.#readVarint());
    const text = this.#bytes.toString('utf8', start, this.#at);
    // The conversion puts this character in the place of invalid bytes; a text may also contain it.
    if (text.includes('\ufffd') && !isUtf8(this.#bytes.subarray(start, this.#at))) {
      throw invalidEncoding(`field ${this.field} of ${this.path} is not UTF-8`);
    }
    return text;
  }

  message(path: string): Message {
    this.#expect(LENGTH_DELIMITED);
    const start = this.#take(this.#readVarint());
    return new Message(this.#bytes, start, this.#at, path);
  }

  skip(): void {
    if (this.#wireType === VARINT) this.#readVarint();
    else if (this.#wireType === FIXED64) this.#take(8);
    else if (this.#wireType === LENGTH_DELIMITED) this.#take(this.#readVarint());
    else if (this.#wireType === FIXED32) this.#take(4);
    else throw unparsable(`field ${this.field} of ${this.path} has the wire type ${this.#wireType}`);
  }

  #expect(wireType: number): void {
    if (this.#wireType === wireType) return;
    throw unparsable(`field ${this.field} of ${this.path} has the wire type ${this.#wireType}, not ${wireType}`);
  }

  /** Passes so many bytes, and returns the position of the first. */
  #take(length: number): number {
    const start = this.#at;
    if (length > this.#end - start) throw unparsable(`${this.path} ends within field ${this.field}`);
    this.#at += length;
    return start;
  }

  /** A number beyond 2^53 is not exact, and larger than every number that a field may have. */
  #readVarint(): number {
    let value = 0;
    let factor = 1;
    for (let count = 0; count < MAX_VARINT_BYTES; count++) {
      if (this.#at === this.#end) throw unparsable(`${this.path} ends within a number`);
      const byte = this.#bytes[this.#at++] as number;
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      factor *= 0x80;
    }
    throw unparsable(`${this.path} has a number of more than ${MAX_VARINT_BYTES} bytes`);
  }
}
