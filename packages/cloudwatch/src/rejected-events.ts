import type { DropReason, SendOutcome } from '@logferry/core';

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_RejectedLogEventsInfo.html */
export interface RejectedLogEventsInfo {
  /** The first event that is too new. All after it are too new as well. */
  readonly tooNewLogEventStartIndex?: number | undefined;
  /** The event after the last one that is too old. */
  readonly tooOldLogEventEndIndex?: number | undefined;
  /** The event after the last one that is past the group's retention. */
  readonly expiredLogEventEndIndex?: number | undefined;
}

/** Lists the events, of `count`, that the service did not store. Zero is a valid index. */
export function rejectedEvents(info: RejectedLogEventsInfo, count: number): SendOutcome['rejected'] {
  const { tooNewLogEventStartIndex, tooOldLogEventEndIndex, expiredLogEventEndIndex } = info;
  const tooOldEnd = endOf(tooOldLogEventEndIndex, count);
  const expiredEnd = Math.max(tooOldEnd, endOf(expiredLogEventEndIndex, count));
  const tooNewStart = Math.max(expiredEnd, tooNewLogEventStartIndex ?? count);
  return [
    ...range(0, tooOldEnd, 'too-old'),
    ...range(tooOldEnd, expiredEnd, 'expired'),
    ...range(tooNewStart, count, 'too-new'),
  ];
}

/** At least one event: the service documents the index as exclusive, but has been seen to use it inclusively. */
function endOf(index: number | undefined, count: number): number {
  return index === undefined ? 0 : Math.min(count, Math.max(1, index));
}

function range(start: number, end: number, reason: DropReason): { index: number; reason: DropReason }[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, offset) => ({ index: start + offset, reason }));
}
