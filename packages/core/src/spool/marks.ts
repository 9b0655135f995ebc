import { checksum, nextMark } from './frame.js';

/** `sent`: a request with the record was begun, so that the service may have it. `settled`: the record has met its fate. */
export type MarkKind = 'sent' | 'settled';

const KINDS: readonly MarkKind[] = ['sent', 'settled'];

/**
 * The bytes before the numbers: the segment's mark (u32), CRC-32 of the rest begun with it (u32), length in all (u32), kind (u8).
 * The numbers follow as runs: how many numbers are left out, and how many follow each other, both in LEB128.
 */
const HEAD_BYTES = 13;
const CHECKED_FROM = 8;

/** An entry for the file of marks of a segment. `numbers` are those of records, ascending. */
export function markEntry(kind: MarkKind, numbers: readonly number[], mark: number): Uint8Array {
  const runs: number[] = [];
  for (let index = 0, next = 0; index < numbers.length; ) {
    const from = numbers[index] as number;
    let length = 1;
    while (numbers[index + length] === from + length) length++;
    pushVarint(runs, from - next);
    pushVarint(runs, length);
    next = from + length;
    index += length;
  }
  const entry = Buffer.alloc(HEAD_BYTES + runs.length);
  entry.set(runs, HEAD_BYTES);
  entry.writeUInt32LE(mark, 0);
  entry.writeUInt32LE(entry.length, 8);
  entry.writeUInt8(KINDS.indexOf(kind), 12);
  entry.writeUInt32LE(checksum(entry.subarray(CHECKED_FROM), mark), 4);
  return entry;
}

/** The records of a segment that have a mark. */
export interface Marks {
  readonly sent: NumberSet;
  readonly settled: NumberSet;
}

/** Reads all undamaged entries: others may follow a torn one. A mark that is lost makes a duplicate, and loses nothing. */
export function readMarks(bytes: Buffer, mark: number): Marks {
  const marks = { sent: new NumberSet(), settled: new NumberSet() };
  for (let start = 0; start >= 0 && start < bytes.length; ) {
    const end = endOfEntry(bytes, start, mark);
    if (end === undefined) {
      start = nextMark(bytes, start, mark);
      continue;
    }
    const kind = KINDS[bytes.readUInt8(start + 12)];
    if (kind) addRuns(marks[kind], bytes.subarray(start + HEAD_BYTES, end));
    start = end;
  }
  return marks;
}

/** `undefined` if no undamaged entry begins there. */
function endOfEntry(bytes: Buffer, start: number, mark: number): number | undefined {
  if (start + HEAD_BYTES > bytes.length || bytes.readUInt32LE(start) !== mark) return undefined;
  const end = start + bytes.readUInt32LE(start + 8);
  if (end < start + HEAD_BYTES || end > bytes.length) return undefined;
  const isIntact = bytes.readUInt32LE(start + 4) === checksum(bytes.subarray(start + CHECKED_FROM, end), mark);
  return isIntact ? end : undefined;
}

/** A set of numbers that are not large. */
class NumberSet {
  #bits = new Uint8Array(64);

  has(number: number): boolean {
    return ((this.#bits[number >> 3] ?? 0) & (1 << (number & 7))) !== 0;
  }

  add(number: number): void {
    const at = number >> 3;
    if (at >= this.#bits.length) {
      const larger = new Uint8Array(Math.max(at + 1, this.#bits.length * 2));
      larger.set(this.#bits);
      this.#bits = larger;
    }
    this.#bits[at] = (this.#bits[at] as number) | (1 << (number & 7));
  }
}

/** Largest number that a run may reach: a segment has fewer records. */
const MAX_NUMBER = 2 ** 20;

function addRuns(set: NumberSet, bytes: Buffer): void {
  const cursor = { bytes, at: 0 };
  for (let next = 0; cursor.at < bytes.length; ) {
    const from = next + takeVarint(cursor);
    next = Math.min(from + takeVarint(cursor), MAX_NUMBER);
    for (let number = from; number < next; number++) set.add(number);
  }
}

function pushVarint(bytes: number[], value: number): void {
  let rest = value;
  for (; rest > 0x7f; rest >>>= 7) bytes.push((rest & 0x7f) | 0x80);
  bytes.push(rest);
}

function takeVarint(cursor: { readonly bytes: Buffer; at: number }): number {
  let value = 0;
  for (let shift = 0; cursor.at < cursor.bytes.length; shift += 7) {
    const byte = cursor.bytes[cursor.at++] as number;
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) break;
  }
  return value;
}
