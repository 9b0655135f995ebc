import { constants, isAscii } from 'node:buffer';

export interface ByteLineEvents {
  /** A line, without its end. `endOffset`: the bytes of the input up to the end of the line, its line end included. */
  onLine(line: string, endOffset: number): void;
  /** The beginning of a line that is too long. The rest is not kept. */
  onTooLong(head: string, endOffset: number): void;
}

/**
 * Splits UTF-8 bytes into lines, and knows where in the input each of them ends. A line ends with LF or CR LF. Invalid bytes become
 * U+FFFD; a byte order mark before the first line is left out. Empty lines are lines.
 */
export class ByteLines {
  readonly #maxChars: number;
  readonly #maxOpenBytes: number;
  readonly #events: ByteLineEvents;
  /** The beginning of a line whose end has not come. A copy: the owner of a chunk may use its memory again. */
  #open: Buffer = Buffer.alloc(0);
  #openBytes = 0;
  /** Bytes of the open line were left out, since there is no room for them. */
  #isCut = false;
  /** The bytes of the input before the current chunk. */
  #offset = 0;
  #isFirstLine = true;

  constructor(maxChars: number, events: ByteLineEvents) {
    this.#maxChars = Math.min(maxChars, Math.floor(constants.MAX_STRING_LENGTH / MAX_BYTES_OF_CHAR));
    this.#maxOpenBytes = Math.max(this.#maxChars, HEAD_CHARS) * MAX_BYTES_OF_CHAR + MARGIN_BYTES;
    this.#events = events;
  }

  /** @param chunk a text has whole characters only: no half of a surrogate pair */
  read(chunk: Uint8Array | string): void {
    const bytes = toBuffer(chunk);
    const end = bytes.lastIndexOf(LF) + 1;
    let start = 0;
    if (end > 0 && (this.#openBytes > 0 || this.#isFirstLine)) {
      start = bytes.indexOf(LF) + 1;
      this.#append(bytes.subarray(0, start - 1));
      this.#endOpenLine(this.#offset + start);
    }
    if (start < end) this.#readWholeLines(bytes.subarray(start, end), this.#offset + start);
    this.#append(bytes.subarray(end));
    this.#offset += bytes.length;
  }

  /** Nothing more comes: a line without its end is a line. */
  end(): void {
    if (this.#openBytes > 0) this.#endOpenLine(this.#offset);
  }

  #readWholeLines(bytes: Buffer, offset: number): void {
    if (isAscii(bytes)) this.#readAscii(bytes.toString('latin1'), offset);
    else this.#readUtf8(bytes, offset);
  }

  /** Each character is a byte: all lines are decoded at once. */
  #readAscii(text: string, offset: number): void {
    let start = 0;
    for (let end = text.indexOf('\n'); end >= 0; end = text.indexOf('\n', start)) {
      const isCrLf = end > start && text.charCodeAt(end - 1) === CR;
      this.#tell(text.slice(start, isCrLf ? end - 1 : end), offset + end + 1);
      start = end + 1;
    }
  }

  #readUtf8(bytes: Buffer, offset: number): void {
    let start = 0;
    for (let end = bytes.indexOf(LF); end >= 0; end = bytes.indexOf(LF, start)) {
      this.#tell(decodeLine(bytes, start, end), offset + end + 1);
      start = end + 1;
    }
  }

  #append(bytes: Buffer): void {
    const room = this.#maxOpenBytes - this.#openBytes;
    const taken = Math.min(bytes.length, room);
    if (bytes.length > room) this.#isCut = true;
    if (taken === 0) return;
    const needed = this.#openBytes + taken;
    if (needed > this.#open.length) {
      const grown = Buffer.allocUnsafe(Math.min(Math.max(needed, this.#open.length * 2), this.#maxOpenBytes));
      this.#open.copy(grown, 0, 0, this.#openBytes);
      this.#open = grown;
    }
    bytes.copy(this.#open, this.#openBytes, 0, taken);
    this.#openBytes = needed;
  }

  #endOpenLine(endOffset: number): void {
    const bytes = this.#isCut ? HEAD_CHARS * MAX_BYTES_OF_CHAR + MARGIN_BYTES : this.#openBytes;
    let line = decodeLine(this.#open, 0, bytes);
    if (this.#isFirstLine && line.charCodeAt(0) === BYTE_ORDER_MARK) line = line.slice(1);
    const isCut = this.#isCut;
    this.#isFirstLine = false;
    this.#isCut = false;
    this.#openBytes = 0;
    if (this.#open.length > MAX_KEPT_BYTES) this.#open = Buffer.alloc(0);
    if (isCut) this.#events.onTooLong(line.slice(0, HEAD_CHARS), endOffset);
    else this.#tell(line, endOffset);
  }

  #tell(line: string, endOffset: number): void {
    if (line.length <= this.#maxChars) this.#events.onLine(line, endOffset);
    else this.#events.onTooLong(line.slice(0, HEAD_CHARS), endOffset);
  }
}

const LF = 0x0a;
const CR = 0x0d;
const BYTE_ORDER_MARK = 0xfeff;

const HEAD_CHARS = 1000;

/** Of a UTF-16 code unit, in UTF-8. */
const MAX_BYTES_OF_CHAR = 3;

/** A byte order mark and a CR do not count as characters of a line. */
const MARGIN_BYTES = 4;

/** The memory of a longer line is given back. */
const MAX_KEPT_BYTES = 64 * 1024;

function toBuffer(chunk: Uint8Array | string): Buffer {
  if (typeof chunk === 'string') return Buffer.from(chunk);
  return Buffer.isBuffer(chunk) ? chunk : Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength);
}

function decodeLine(bytes: Buffer, start: number, end: number): string {
  const isCrLf = end > start && bytes[end - 1] === CR;
  return bytes.toString('utf8', start, isCrLf ? end - 1 : end);
}
