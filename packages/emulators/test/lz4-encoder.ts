// End-of-block rules: the last match starts at least 12 bytes before the end, and the last 5 bytes are literals.
const MATCH_START_LIMIT = 12;
const LAST_LITERALS = 5;
const MIN_MATCH = 4;
const MAX_OFFSET = 65_535;

export interface Sequence {
  readonly literals: Uint8Array | string;
  /** Missing from the last sequence. */
  readonly match?: { readonly offset: number; readonly length: number };
}

/** A block of the given sequences. It may break the rules of the format. */
export function lz4Block(sequences: readonly Sequence[]): Buffer {
  return Buffer.concat(
    sequences.flatMap(({ literals, match }) => {
      const bytes = Buffer.from(literals as string);
      const extra = match ? match.length - MIN_MATCH : 0;
      const token = (Math.min(bytes.length, 15) << 4) | Math.min(extra, 15);
      return [
        Buffer.from([token, ...moreLength(bytes.length)]),
        bytes,
        Buffer.from(match ? [match.offset & 255, match.offset >> 8, ...moreLength(extra)] : []),
      ];
    }),
  );
}

/** A valid block. Greedy: takes the last occurrence of the next 4 bytes as the match. */
export function encodeLz4Block(raw: Uint8Array): Buffer {
  const lastPosition = new Map<number, number>();
  const view = new DataView(raw.buffer, raw.byteOffset, raw.byteLength);
  const sequences: Sequence[] = [];
  let literalsFrom = 0;
  let at = 0;
  while (at <= raw.length - MATCH_START_LIMIT) {
    const next4 = view.getUint32(at);
    const earlier = lastPosition.get(next4);
    lastPosition.set(next4, at);
    if (earlier === undefined || at - earlier > MAX_OFFSET) {
      at++;
      continue;
    }
    let length = MIN_MATCH;
    while (at + length < raw.length - LAST_LITERALS && raw[at + length] === raw[earlier + length]) length++;
    sequences.push({ literals: raw.subarray(literalsFrom, at), match: { offset: at - earlier, length } });
    at += length;
    literalsFrom = at;
  }
  return lz4Block([...sequences, { literals: raw.subarray(literalsFrom) }]);
}

function moreLength(length: number): number[] {
  if (length < 15) return [];
  const rest = length - 15;
  return [...new Array<number>(Math.floor(rest / 255)).fill(255), rest % 255];
}
