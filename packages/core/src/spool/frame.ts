import type { EncodedEvent } from '../contract/destination.js';
import { crc32 } from '../tools/crc32.js';
import { writeInto } from '../tools/write-into.js';

/** A record on disk: what a destination made of it. */
export interface SpoolRecord {
  /** Wall time of its acceptance, in epoch milliseconds. */
  readonly acceptedAt: number;
  readonly urgent: boolean;
  /** One event, or the parts of an oversized record. */
  readonly events: readonly EncodedEvent[];
}

/**
 * The bytes of a frame before its events:
 *
 * | offset | type | meaning |
 * |---|---|---|
 * | 0 | u32 | the segment's mark |
 * | 4 | u32 | CRC-32 of the rest of the frame, begun with the mark |
 * | 8 | u32 | length of the frame, these bytes included |
 * | 12 | u32 | number of the record in its segment, from 0 |
 * | 16 | f64 | wall time of acceptance, in epoch milliseconds |
 * | 24 | u8 | flags: 1 for an urgent record |
 * | 25 | u8 | 0 |
 * | 26 | u16 | number of events |
 *
 * All numbers are little-endian.
 */
const HEAD_BYTES = 28;

/** The bytes of an event before its route and its payload: their lengths (u32 each), size (f64) and time (f64). */
const EVENT_HEAD_BYTES = 24;

/** The highest bit of the length of a payload that is bytes, and not UTF-8. */
const BYTES = 0x8000_0000;

const MAX_EVENTS = 0xffff;
const CHECKED_FROM = 8;
const URGENT = 1;

/** Encodes frames one behind another into memory that is used again. */
export class FrameWriter {
  #buffer = Buffer.allocUnsafeSlow(16 * 1024);
  /** The numbers of the buffer: quicker than its own methods. */
  #numbers = numbersOf(this.#buffer);
  #length = 0;
  /** Most records have the route of the one before. */
  #route = '';
  #routeBytes = Buffer.alloc(0);

  /** The frames stand at its beginning. Valid until the next call. */
  get buffer(): Uint8Array {
    return this.#buffer;
  }

  /** Bytes of all frames. */
  get length(): number {
    return this.#length;
  }

  clear(): void {
    this.#length = 0;
    if (this.#buffer.length > MAX_KEPT_BYTES) this.#use(Buffer.allocUnsafeSlow(MAX_KEPT_BYTES));
  }

  /** Takes out all behind the first `length` bytes. */
  truncate(length: number): void {
    this.#length = length;
  }

  /** Adds the frame of a record. Throws for one that no frame can hold. */
  add({ acceptedAt, urgent, events }: SpoolRecord, mark: number, number: number): void {
    if (events.length > MAX_EVENTS) throw new RangeError(`a record of more than ${MAX_EVENTS} parts`);
    const start = this.#length;
    let end = start + HEAD_BYTES;
    for (const event of events) end = this.#addEvent(event, end);
    this.#reserve(end);
    const numbers = this.#numbers;
    numbers.setUint32(start, mark, true);
    numbers.setUint32(start + 8, end - start, true);
    numbers.setUint32(start + 12, number, true);
    numbers.setFloat64(start + 16, acceptedAt, true);
    numbers.setUint16(start + 24, urgent ? URGENT : 0, true);
    numbers.setUint16(start + 26, events.length, true);
    const checked = new Uint8Array(this.#buffer.buffer, start + CHECKED_FROM, end - start - CHECKED_FROM);
    numbers.setUint32(start + 4, checksum(checked, mark), true);
    this.#length = end;
  }

  #addEvent({ route, payload, bytes, time }: EncodedEvent, start: number): number {
    if (route !== this.#route) {
      this.#route = route;
      this.#routeBytes = Buffer.from(route);
    }
    const routeFrom = start + EVENT_HEAD_BYTES;
    const payloadFrom = routeFrom + this.#routeBytes.length;
    // A UTF-16 unit takes at most three bytes.
    this.#reserve(payloadFrom + payload.length * 3);
    this.#buffer.set(this.#routeBytes, routeFrom);
    const payloadBytes = writeInto(this.#buffer, payload, payloadFrom);
    const numbers = this.#numbers;
    numbers.setUint32(start, this.#routeBytes.length, true);
    numbers.setUint32(start + 4, typeof payload === 'string' ? payloadBytes : payloadBytes + BYTES, true);
    numbers.setFloat64(start + 8, bytes, true);
    numbers.setFloat64(start + 16, time, true);
    return payloadFrom + payloadBytes;
  }

  /** Makes room for so many bytes in all. */
  #reserve(bytes: number): void {
    if (bytes <= this.#buffer.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(bytes, this.#buffer.length * 2));
    this.#buffer.copy(larger);
    this.#use(larger);
  }

  #use(buffer: Buffer<ArrayBuffer>): void {
    this.#buffer = buffer;
    this.#numbers = numbersOf(buffer);
  }
}

/** `allocUnsafeSlow` gives each buffer memory of its own, from 0 on. */
function numbersOf({ buffer }: Buffer<ArrayBuffer>): DataView {
  return new DataView(buffer);
}

/** A larger buffer is not kept for the next records. */
const MAX_KEPT_BYTES = 1024 * 1024;

/** A frame that was read, with its place in the bytes. */
export interface Frame {
  readonly start: number;
  readonly end: number;
  /** Number of the record in its segment. */
  readonly number: number;
}

/** The frame that begins at `start`: none if no whole, undamaged one does. */
export function frameAt(bytes: Buffer, start: number, mark: number): Frame | undefined {
  if (start + HEAD_BYTES > bytes.length || bytes.readUInt32LE(start) !== mark) return undefined;
  const end = start + bytes.readUInt32LE(start + 8);
  if (end < start + HEAD_BYTES || end > bytes.length) return undefined;
  const isIntact = bytes.readUInt32LE(start + 4) === checksum(bytes.subarray(start + CHECKED_FROM, end), mark);
  return isIntact ? { start, end, number: bytes.readUInt32LE(start + 12) } : undefined;
}

/** The next place behind `start` where a frame may begin; -1 if there is none. */
export function nextMark(bytes: Buffer, start: number, mark: number): number {
  const pattern = Buffer.allocUnsafe(4);
  pattern.writeUInt32LE(mark);
  return bytes.indexOf(pattern, start + 1);
}

/**
 * The record of a frame: its payloads that are bytes are parts of `bytes`. Throws if its content is no record, which no damage can
 * cause: the checksum is right.
 */
export function recordOf(bytes: Buffer, { start, end }: Frame): SpoolRecord {
  const events: EncodedEvent[] = [];
  let at = start + HEAD_BYTES;
  for (let left = bytes.readUInt16LE(start + 26); left > 0; left--) {
    const routeEnd = at + EVENT_HEAD_BYTES + bytes.readUInt32LE(at);
    const length = bytes.readUInt32LE(at + 4);
    const payloadEnd = routeEnd + (length % BYTES);
    if (payloadEnd > end) throw new RangeError('a frame whose events are longer than itself');
    events.push({
      route: bytes.toString('utf8', at + EVENT_HEAD_BYTES, routeEnd),
      payload: length < BYTES ? bytes.toString('utf8', routeEnd, payloadEnd) : bytes.subarray(routeEnd, payloadEnd),
      bytes: bytes.readDoubleLE(at + 8),
      time: bytes.readDoubleLE(at + 16),
    });
    at = payloadEnd;
  }
  return {
    acceptedAt: bytes.readDoubleLE(start + 16),
    urgent: (bytes.readUInt8(start + 24) & URGENT) !== 0,
    events,
  };
}

/** Begun with the mark, so that a text that was logged cannot hold a frame. */
export function checksum(bytes: Uint8Array, mark: number): number {
  return crc32(bytes, mark);
}
