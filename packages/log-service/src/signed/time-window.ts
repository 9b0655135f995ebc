import type { Batch, DropReason, SendOutcome } from '@logferry/core';
import { MAX_FUTURE_MS, MAX_PAST_MS } from '../limits.js';

/**
 * Takes out the events that the service is sure to refuse for their time: it would refuse the whole request for one of them.
 * An event can leave the window while it waits, and a clock of this machine that is wrong moves all events.
 *
 * @param nowMs the time of the service
 * @returns `taken`: the batch itself, another one with the rest of the events, or `undefined` if none is left
 */
export function splitByTime(
  batch: Batch,
  nowMs: number,
): { readonly taken: Batch | undefined; readonly rejected: SendOutcome['rejected'] } {
  const fromMs = nowMs - MAX_PAST_MS;
  const toMs = nowMs + MAX_FUTURE_MS;
  const { from = Number.NEGATIVE_INFINITY, to = Number.POSITIVE_INFINITY } = batch;
  if (from >= fromMs && to <= toMs) return { taken: batch, rejected: [] };
  const reasonOf = (time: number): DropReason | undefined =>
    time < fromMs ? 'too-old' : time > toMs ? 'too-new' : undefined;
  const rejected = batch.events.flatMap(({ time }, index) => {
    const reason = reasonOf(time);
    return reason === undefined ? [] : [{ index, reason }];
  });
  if (rejected.length === 0) return { taken: batch, rejected };
  const { route, separator } = batch;
  const events = batch.events.filter(({ time }) => reasonOf(time) === undefined);
  return { taken: events.length === 0 ? undefined : { route, events, bytes: batch.bytes, separator }, rejected };
}
