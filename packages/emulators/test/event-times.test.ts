import { PutRetentionPolicyCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { DAY_MS, event, GROUP, messagesIn, NOW, put, setUp } from './helpers.js';

const AGE_LIMIT = NOW - 14 * DAY_MS;
const FUTURE_LIMIT = NOW + DAY_MS / 12;

describe('the order and span of a batch', () => {
  it('accepts equal timestamps and refuses decreasing ones', async () => {
    const { emulator, client } = await setUp();
    await put(client, [event('a'), event('b')]);
    await expect(put(client, [event('c'), event('d', NOW - 1)])).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'Log events in a single PutLogEvents request must be in chronological order.',
    });
    expect(messagesIn(emulator)).toEqual(['a', 'b']);
  });

  it('accepts a batch that is older than the batch before it', async () => {
    const { emulator, client } = await setUp();
    await put(client, [event('later')]);
    await put(client, [event('earlier', NOW - 1000)]);
    expect(messagesIn(emulator)).toEqual(['later', 'earlier']);
  });

  it('accepts a span of 24 hours and refuses a millisecond more', async () => {
    const { emulator, client } = await setUp();
    await put(client, [event('a', NOW - DAY_MS), event('b', NOW)]);
    await expect(put(client, [event('c', NOW - DAY_MS - 1), event('d', NOW)])).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'The batch of log events in a single PutLogEvents request cannot span more than 24 hours.',
    });
    expect(messagesIn(emulator)).toEqual(['a', 'b']);
  });

  it('ignores too-old and too-new events in the span', async () => {
    const { emulator, client } = await setUp();
    const output = await put(client, [event('old', NOW - 20 * DAY_MS), event('valid'), event('new', NOW + 5 * DAY_MS)]);
    expect(output.rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 1, tooNewLogEventStartIndex: 2 });
    expect(messagesIn(emulator)).toEqual(['valid']);
  });
});

describe('the age of events', () => {
  it('accepts events that are exactly 14 days old', async () => {
    const { emulator, client } = await setUp();
    expect((await put(client, [event('a', AGE_LIMIT)])).rejectedLogEventsInfo).toBeUndefined();
    expect(messagesIn(emulator)).toEqual(['a']);
  });

  it('rejects events older than 14 days with an exclusive end index, and stores the rest', async () => {
    const { emulator, client } = await setUp();
    const output = await put(client, [event('a', AGE_LIMIT - 2), event('b', AGE_LIMIT - 1), event('c', AGE_LIMIT)]);
    expect(output.$metadata.httpStatusCode).toBe(200);
    expect(output.rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 2 });
    expect(messagesIn(emulator)).toEqual(['c']);
    expect(emulator.stats()).toMatchObject({ acceptedPuts: 1, storedEvents: 1, storedBytes: 27, violationCount: 0 });
  });

  it('accepts events two hours ahead, and rejects newer ones with an inclusive start index', async () => {
    const { emulator, client } = await setUp();
    const output = await put(client, [
      event('a', FUTURE_LIMIT),
      event('b', FUTURE_LIMIT + 1),
      event('c', FUTURE_LIMIT + 2),
    ]);
    expect(output.rejectedLogEventsInfo).toEqual({ tooNewLogEventStartIndex: 1 });
    expect(messagesIn(emulator)).toEqual(['a']);
  });

  it('returns start index 0 if all events are too new', async () => {
    const { emulator, client } = await setUp();
    const output = await put(client, [event('a', FUTURE_LIMIT + 1)]);
    expect(output.rejectedLogEventsInfo).toEqual({ tooNewLogEventStartIndex: 0 });
    expect(emulator.events()).toEqual([]);
  });

  it('returns the length of the batch as end index if all events are too old', async () => {
    const { emulator, client } = await setUp();
    const output = await put(client, [event('a', 0), event('b', 1)]);
    expect(output.rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 2 });
    expect(emulator.events()).toEqual([]);
  });

  it('rejects events older than the group’s retention as expired', async () => {
    const { emulator, client } = await setUp();
    await client.send(new PutRetentionPolicyCommand({ logGroupName: GROUP, retentionInDays: 3 }));
    const output = await put(client, [
      event('too old', AGE_LIMIT - 1),
      event('expired', NOW - 3 * DAY_MS - 1),
      event('kept', NOW - 3 * DAY_MS),
    ]);
    expect(output.rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 1, expiredLogEventEndIndex: 2 });
    expect(messagesIn(emulator)).toEqual(['kept']);
  });
});
