import { type Batch, enclosePayloads, utf8Bytes } from '@logferry/core';
import type { Field, LogForm } from './log-form.js';
import {
  FIXED32,
  fieldsIn,
  LENGTH_DELIMITED,
  lengthDelimited,
  stringField,
  tagOf,
  VARINT,
  varintBytes,
  writeVarint,
} from './protobuf.js';
import { headOf } from './route.js';
import { nextNanosecond } from './sequence.js';
import { textOf } from './text.js';

/**
 * The body of PutLogs, a LogGroup:
 *
 * ```
 * message Log      { required uint32 Time = 1; repeated Content Contents = 2; optional fixed32 Time_ns = 4; }
 * message Content  { required string Key = 1; required string Value = 2; }
 * message LogTag   { required string Key = 1; required string Value = 2; }
 * message LogGroup { repeated Log Logs = 1; optional string Topic = 3; optional string Source = 4; repeated LogTag LogTags = 6; }
 * ```
 *
 * https://www.alibabacloud.com/help/en/sls/developer-reference/data-encoding
 */
export class ProtobufForm implements LogForm<Uint8Array, Uint8Array> {
  readonly contentType = 'application/x-protobuf';
  readonly separator = '';
  readonly emptyLogBytes: number = MAX_LOG_HEAD_BYTES + MAX_TIME_BYTES + TIME_NS_BYTES;
  readonly #tails = new Map<string, Uint8Array>();
  /** Payloads are parts of it, one behind another. It belongs to them once it is full. */
  #slab: Buffer = Buffer.alloc(0);
  /** The log that is being written: room for its tag and its length, then its time and its fields. */
  #start = 0;
  #firstField = 0;
  #end = 0;
  #nanoseconds = 0;

  another(): ProtobufForm {
    return new ProtobufForm();
  }

  /** The key of a Content with the tag of its value. */
  labelOf(key: string): Uint8Array {
    return Buffer.concat([stringField(TAG.key, key), Buffer.of(TAG.value)]);
  }

  begin(time: number): void {
    const seconds = Math.floor(time / 1000);
    this.#nanoseconds = (time - seconds * 1000) * NS_PER_MS + nextNanosecond(time);
    this.#start = this.#end;
    if (!this.#hasRoom(this.emptyLogBytes)) this.#grow(this.emptyLogBytes);
    const timeAt = this.#start + MAX_LOG_HEAD_BYTES;
    this.#slab[timeAt] = TAG.time;
    this.#end = writeVarint(this.#slab, timeAt + 1, seconds);
    this.#firstField = this.#end;
  }

  add(label: Uint8Array, value: unknown, maxChars: number): void {
    const isReady = typeof value === 'string' && value.length <= maxChars;
    const text = isReady ? value : textOf(value, maxChars);
    if (text === undefined) return;
    // A UTF-16 unit takes at most three bytes: mostly there is room without counting.
    const headBytes = MAX_FIELD_HEAD_BYTES + label.length;
    if (!this.#hasRoom(headBytes + text.length * 3)) this.#grow(headBytes + Buffer.byteLength(text));
    if (text.length > SHORT_CHARS || !this.#addAscii(label, text)) this.#addText(label, text);
  }

  end(): Uint8Array | undefined {
    if (this.#end === this.#firstField) {
      this.#end = this.#start;
      return undefined;
    }
    const slab = this.#slab;
    slab[this.#end] = TAG.timeNs;
    this.#end = slab.writeUInt32LE(this.#nanoseconds, this.#end + 1);
    // The length is known only now, so its head ends where the time begins.
    const timeAt = this.#start + MAX_LOG_HEAD_BYTES;
    const length = this.#end - timeAt;
    const headAt = timeAt - varintBytes(length) - 1;
    slab[headAt] = TAG.logs;
    writeVarint(slab, headAt + 1, length);
    return slab.subarray(headAt, this.#end);
  }

  bytesOf(payload: Uint8Array): number {
    return payload.length;
  }

  fieldsOf(payload: Uint8Array): readonly Field[] {
    return membersOf(payload).flatMap(({ tag, bytes }): Field[] => {
      if (tag !== TAG.contents) return [];
      const [key, value] = fieldsIn(bytes).map((member) => member.bytes.toString());
      return [[key ?? '', value ?? '']];
    });
  }

  withFields(payload: Uint8Array, fields: readonly Field[]): Uint8Array {
    this.begin(timeOf(payload));
    for (const [key, text] of fields) this.add(this.labelOf(key), text, text.length);
    return this.end() ?? payload.subarray(0, 0);
  }

  fieldOverheadBytes(key: string): number {
    return MAX_FIELD_HEAD_BYTES + this.labelOf(key).length;
  }

  textBytes(text: string): number {
    return Buffer.byteLength(text);
  }

  codePointBytes(codePoint: number): number {
    return utf8Bytes(codePoint);
  }

  bodyOf(batch: Batch): Uint8Array {
    return enclosePayloads(batch, '', this.#tailOf(batch.route));
  }

  baseBytesOf(route: string): number {
    return this.#tailOf(route).length;
  }

  /** The members of a LogGroup that follow its logs. */
  #tailOf(route: string): Uint8Array {
    let tail = this.#tails.get(route);
    if (!tail) {
      const { topic, source, tags } = headOf(route);
      tail = Buffer.concat([
        ...(topic === undefined ? [] : [stringField(TAG.topic, topic)]),
        stringField(TAG.source, source),
        ...Object.entries(tags).map(([key, value]) =>
          lengthDelimited(TAG.logTags, Buffer.concat([stringField(TAG.key, key), stringField(TAG.value, value)])),
        ),
      ]);
      if (this.#tails.size >= MAX_TAILS) this.#tails.clear();
      this.#tails.set(route, tail);
    }
    return tail;
  }

  /** Adds a text of ASCII: for a short one, a loop is quicker than a call of native code. False, and nothing is added, for any other. */
  #addAscii(label: Uint8Array, text: string): boolean {
    const slab = this.#slab;
    let at = this.#writeFieldHead(label, text.length);
    for (let index = 0; index < text.length; index++) {
      const code = text.charCodeAt(index);
      if (code > MAX_ASCII) return false;
      slab[at++] = code;
    }
    this.#end = at;
    return true;
  }

  /** Adds any text, with U+FFFD in the place of a lone surrogate. */
  #addText(label: Uint8Array, text: string): void {
    const at = this.#writeFieldHead(label, Buffer.byteLength(text));
    this.#end = at + this.#slab.write(text, at);
  }

  /** Returns its end, where the text begins. */
  #writeFieldHead(label: Uint8Array, textBytes: number): number {
    const slab = this.#slab;
    slab[this.#end] = TAG.contents;
    let at = writeVarint(slab, this.#end + 1, label.length + varintBytes(textBytes) + textBytes);
    for (let index = 0; index < label.length; index++) slab[at++] = label[index] as number;
    return writeVarint(slab, at, textBytes);
  }

  /** Whether there is room for so many bytes, and for the end of the log. */
  #hasRoom(bytes: number): boolean {
    return this.#end + bytes + TIME_NS_BYTES <= this.#slab.length;
  }

  /** Goes on in another slab, with room for so many bytes and for the end of the log. */
  #grow(bytes: number): void {
    const written = this.#slab.subarray(this.#start, this.#end);
    this.#slab = Buffer.allocUnsafeSlow(Math.max(SLAB_BYTES, written.length * 2 + bytes + TIME_NS_BYTES));
    this.#slab.set(written);
    this.#firstField -= this.#start;
    this.#end -= this.#start;
    this.#start = 0;
  }
}

const TAG = {
  logs: tagOf(1, LENGTH_DELIMITED),
  topic: tagOf(3, LENGTH_DELIMITED),
  source: tagOf(4, LENGTH_DELIMITED),
  logTags: tagOf(6, LENGTH_DELIMITED),
  time: tagOf(1, VARINT),
  contents: tagOf(2, LENGTH_DELIMITED),
  timeNs: tagOf(4, FIXED32),
  key: tagOf(1, LENGTH_DELIMITED),
  value: tagOf(2, LENGTH_DELIMITED),
} as const;

/** A tag and a varint of 32 bits. */
const MAX_LOG_HEAD_BYTES = 6;
const MAX_TIME_BYTES = 6;
const TIME_NS_BYTES = 5;

/** The tag and length of a Content, and the length of its value. Its key and the tag of its value are the label. */
const MAX_FIELD_HEAD_BYTES = 11;

/** A new slab for a few hundred logs costs the garbage collector little. */
const SLAB_BYTES = 64 * 1024;

/** A longer text is written by native code. */
const SHORT_CHARS = 64;
const MAX_ASCII = 0x7f;

const NS_PER_MS = 1_000_000;

/** More routes than most destinations have at a time. */
const MAX_TAILS = 200;

/** The members of a Log, without its tag and its length. */
function membersOf(payload: Uint8Array): ReturnType<typeof fieldsIn> {
  return fieldsIn(fieldsIn(payload)[0]?.bytes ?? payload);
}

/** In epoch milliseconds. */
function timeOf(payload: Uint8Array): number {
  const members = membersOf(payload);
  const numberOf = (wanted: number): number => members.find(({ tag }) => tag === wanted)?.value ?? 0;
  return numberOf(TAG.time) * 1000 + Math.floor(numberOf(TAG.timeNs) / NS_PER_MS);
}
