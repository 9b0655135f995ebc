import { type Frame, frameAt, nextMark } from './frame.js';

/** The frames of some bytes of a segment, and what lies between them. */
export interface Scan {
  readonly frames: readonly Frame[];
  /** Ranges of bytes that are no frame. */
  readonly damaged: readonly { readonly start: number; readonly end: number }[];
  /** Number of records that are damaged: by the numbers that are missing, and one at the end, where no frame follows. */
  readonly damagedRecords: number;
}

/**
 * Finds all undamaged frames from `start` on, the first of which has the given number. Behind damaged bytes it looks for the next
 * frame: the length that a damaged frame states may be wrong. Each step goes forward, so that it always ends.
 */
export function scan(bytes: Buffer, start: number, mark: number, firstNumber = 0): Scan {
  const frames: Frame[] = [];
  const damaged: { readonly start: number; end: number }[] = [];
  let damagedRecords = 0;
  let expected = firstNumber;
  for (let at = start; at < bytes.length; ) {
    const isBehindDamage = damaged.at(-1)?.end === at;
    const frame = frameAt(bytes, at, mark);
    if (frame) {
      if (isBehindDamage) damagedRecords += Math.max(0, frame.number - expected);
      frames.push(frame);
      expected = frame.number + 1;
      at = frame.end;
      continue;
    }
    const next = nextMark(bytes, at, mark);
    const end = next < 0 ? bytes.length : next;
    const last = damaged.at(-1);
    if (last && isBehindDamage) last.end = end;
    else damaged.push({ start: at, end });
    if (next < 0) damagedRecords++;
    at = end;
  }
  return { frames, damaged, damagedRecords };
}
