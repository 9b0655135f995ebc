import { expect, it } from 'vitest';
import { rejectedEvents } from '../src/rejected-events.js';

it.each([
  ['nothing', {}, '-----'],
  ['the too old before an index', { tooOldLogEventEndIndex: 2 }, 'oo---'],
  ['the expired before an index', { expiredLogEventEndIndex: 3 }, 'eee--'],
  ['the expired after the too old', { tooOldLogEventEndIndex: 2, expiredLogEventEndIndex: 3 }, 'ooe--'],
  ['fewer expired than too old', { tooOldLogEventEndIndex: 3, expiredLogEventEndIndex: 2 }, 'ooo--'],
  ['the too new from an index on', { tooNewLogEventStartIndex: 3 }, '---nn'],
  ['all as too new from index 0', { tooNewLogEventStartIndex: 0 }, 'nnnnn'],
  ['at least one as too old, even before index 0', { tooOldLogEventEndIndex: 0 }, 'o----'],
  ['at least one as expired, even before index 0', { expiredLogEventEndIndex: 0 }, 'e----'],
  ['all three kinds', { tooOldLogEventEndIndex: 1, expiredLogEventEndIndex: 2, tooNewLogEventStartIndex: 4 }, 'oe--n'],
  ['nothing twice', { tooOldLogEventEndIndex: 4, tooNewLogEventStartIndex: 2 }, 'oooon'],
  ['nothing beyond the batch', { tooOldLogEventEndIndex: 9, tooNewLogEventStartIndex: 7 }, 'ooooo'],
])('rejects %s', (_what, info, expected) => {
  const fates = Array.from({ length: 5 }, () => '-');
  for (const { index, reason } of rejectedEvents(info, fates.length)) {
    expect(fates[index]).toBe('-');
    fates[index] = reason === 'expired' ? 'e' : reason === 'too-old' ? 'o' : 'n';
  }
  expect(fates.join('')).toBe(expected);
});
