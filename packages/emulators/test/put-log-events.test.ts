import { describe, expect, it } from 'vitest';
import { event, events, GROUP, messagesIn, NOW, put, putBody, STREAM, setUp, TARGET } from './helpers.js';

const body = (logEvents: unknown, members: object = {}) => JSON.stringify({ ...TARGET, logEvents, ...members });

describe('PutLogEvents', () => {
  it('stores a batch in order of arrival with all details of each event', async () => {
    const { emulator, client } = await setUp();
    const { $metadata } = await put(client, [event('first', NOW - 5), event('second', NOW - 5)]);
    expect(emulator.events()).toEqual([
      {
        ...TARGET,
        eventId: expect.any(String),
        timestamp: NOW - 5,
        message: 'first',
        ingestionTime: NOW,
        requestId: $metadata.requestId,
      },
      expect.objectContaining({ message: 'second', timestamp: NOW - 5 }),
    ]);
    expect(emulator.stats()).toMatchObject({ acceptedPuts: 1, storedEvents: 2, storedBytes: 5 + 6 + 2 * 26 });
  });

  it('keeps every character of a message', async () => {
    const { emulator, client } = await setUp();
    const message = 'ünï€😀 "quoted" \\ \n\t\u0000 \u2028 ';
    await put(client, [event(message)]);
    expect(messagesIn(emulator)).toEqual([message]);
  });

  it('returns a request id and no rejected events', async () => {
    const { client } = await setUp();
    const output = await put(client, [event()]);
    expect(output.$metadata).toMatchObject({
      httpStatusCode: 200,
      requestId: expect.stringMatching(/^[0-9a-f-]{36}$/),
    });
    expect(output.rejectedLogEventsInfo).toBeUndefined();
  });

  it('ignores a sequence token, as the service does since 2023', async () => {
    const { emulator, client } = await setUp();
    await put(client, [event('a')], { sequenceToken: 'any' });
    await put(client, [event('b')]);
    expect(messagesIn(emulator)).toEqual(['a', 'b']);
  });
});

describe('the limits of PutLogEvents', () => {
  it('accept 10,000 events', async () => {
    const { emulator, client } = await setUp();
    await put(client, events(10_000));
    expect(emulator.stats()).toMatchObject({
      storedEvents: 10_000,
      largestBatch: { events: 10_000 },
      violationCount: 0,
    });
  });

  it.each([
    [
      [],
      "1 validation error detected: Value '[]' at 'logEvents' failed to satisfy constraint: Member must have length greater than or equal to 1",
    ],
    [
      events(10_001),
      "1 validation error detected: Value '[...]' at 'logEvents' failed to satisfy constraint: Member must have length less than or equal to 10000",
    ],
  ])('refuse 0 and 10,001 events (case %#)', async (batch, message) => {
    const { emulator, client } = await setUp();
    await expect(put(client, batch)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message,
      $metadata: { httpStatusCode: 400 },
    });
    expect(emulator.stats().violations).toEqual([
      { operation: 'PutLogEvents', error: 'InvalidParameterException', message },
    ]);
    expect(emulator.events()).toEqual([]);
  });

  it('accept a batch of exactly 1,048,576 bytes, counting 26 bytes per event besides its message', async () => {
    const { emulator, client } = await setUp();
    await put(client, events(1024, 'x'.repeat(1024 - 26)));
    expect(emulator.stats()).toMatchObject({
      largestBatch: { events: 1024, bytes: 1_048_576 },
      storedBytes: 1_048_576,
    });
  });

  it('refuse a batch of 1,048,577 bytes', async () => {
    const { emulator, client } = await setUp();
    const batch = [...events(1023, 'x'.repeat(1024 - 26)), event('x'.repeat(1025 - 26))];
    await expect(put(client, batch)).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'Upload too large: 1048577 bytes exceeds limit of 1048576',
    });
    expect(emulator.events()).toEqual([]);
  });

  it('count UTF-8 bytes, not characters', async () => {
    const { client } = await setUp();
    await expect(put(client, [event('€'.repeat(349_516)), event('x')])).rejects.toThrow(
      `Upload too large: ${349_516 * 3 + 1 + 52} bytes exceeds limit of 1048576`,
    );
  });

  it('accept a message of 1,048,550 bytes', async () => {
    const { emulator, client } = await setUp();
    await put(client, [event('x'.repeat(1_048_550))]);
    expect(emulator.stats().storedBytes).toBe(1_048_576);
  });

  it('refuse a message of 1,048,551 bytes', async () => {
    const { client } = await setUp();
    await expect(put(client, [event('x'.repeat(1_048_551))])).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: 'Log event too large: 1048577 bytes exceeds limit of 1048576',
    });
  });
});

describe('PutLogEvents refuses', () => {
  it('the whole batch for one empty message, and numbers it from 1', async () => {
    const { emulator, client } = await setUp();
    await expect(put(client, [event('fine'), event('')])).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message:
        "1 validation error detected: Value '' at 'logEvents.2.member.message' failed to satisfy constraint: Member must have length greater than or equal to 1",
    });
    expect(emulator.events()).toEqual([]);
  });

  it('several broken constraints with one error', async () => {
    const { client } = await setUp();
    await expect(put(client, [event(''), event('', -1)], { logGroupName: 'a b' })).rejects.toThrow(
      /^4 validation errors detected: Value 'a b' at 'logGroupName' .*; Value '' at 'logEvents.1.member.message' .*; Value '-1' at 'logEvents.2.member.timestamp' failed to satisfy constraint: Member must have value greater than or equal to 0; Value '' at/,
    );
  });

  it.each([
    ['the message', [{ timestamp: NOW }], 'message'],
    ['the timestamp', [{ message: 'm' }], 'timestamp'],
    ['the timestamp (it is null)', [{ message: 'm', timestamp: null }], 'timestamp'],
  ])('an event without %s', async (_, logEvents, member) => {
    const { emulator } = await setUp();
    await expect(putBody(emulator, body(logEvents))).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: `1 validation error detected: Value null at 'logEvents.1.member.${member}' failed to satisfy constraint: Member must not be null`,
    });
  });

  it.each([
    ['a timestamp in quotes', [{ message: 'm', timestamp: String(NOW) }]],
    ['a fraction of a millisecond', [{ message: 'm', timestamp: NOW + 0.5 }]],
    ['a timestamp beyond the safe integers', [{ message: 'm', timestamp: 1e300 }]],
    ['a message that is not a string', [{ message: 5, timestamp: NOW }]],
    ['an event that is not a structure', ['m']],
    ['events that are not a list', { message: 'm', timestamp: NOW }],
  ])('%s', async (_, logEvents) => {
    const { emulator } = await setUp();
    await expect(putBody(emulator, body(logEvents))).rejects.toMatchObject({ name: 'SerializationException' });
    expect(emulator.stats()).toMatchObject({ violationCount: 1, storedEvents: 0 });
  });

  it('a Date as timestamp, which the SDK sends as a string', async () => {
    const { client } = await setUp();
    const timestamp = new Date(NOW) as unknown as number;
    await expect(put(client, [{ message: 'm', timestamp }])).rejects.toMatchObject({ name: 'SerializationException' });
  });

  it('a lone surrogate in a message', async () => {
    const { emulator, client } = await setUp();
    await expect(put(client, [event('broken \ud800')])).rejects.toMatchObject({
      name: 'InvalidParameterException',
      message: expect.stringContaining("at 'logEvents.1.member.message'"),
    });
    expect(emulator.stats()).toMatchObject({ violationCount: 1, storedEvents: 0 });
  });

  it.each([
    ['an empty group', { logGroupName: '' }],
    ['a group with a space', { logGroupName: 'a b' }],
    ['a group of 513 characters', { logGroupName: 'g'.repeat(513) }],
    ['an empty stream', { logStreamName: '' }],
    ['a stream with a colon', { logStreamName: 'a:b' }],
    ['a stream with an asterisk', { logStreamName: 'a*b' }],
    ['a stream of 513 characters', { logStreamName: 's'.repeat(513) }],
    ['no stream', { logStreamName: undefined }],
  ])('%s', async (_, names) => {
    const { emulator, client } = await setUp();
    await expect(put(client, [event()], names)).rejects.toMatchObject({ name: 'InvalidParameterException' });
    expect(emulator.stats().violationCount).toBe(1);
  });

  it('a missing group and a missing stream, which are not violations', async () => {
    const { emulator, client } = await setUp();
    await expect(put(client, [event()], { logGroupName: 'none' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The specified log group does not exist.',
      $metadata: { httpStatusCode: 400 },
    });
    await expect(put(client, [event()], { logStreamName: 'none' })).rejects.toMatchObject({
      name: 'ResourceNotFoundException',
      message: 'The specified log stream does not exist.',
    });
    expect(emulator.stats().violationCount).toBe(0);
  });
});

describe('the entity of PutLogEvents', () => {
  const entity = { keyAttributes: { Type: 'Service', Name: GROUP }, attributes: { Host: STREAM } };

  it('is accepted when valid', async () => {
    const { emulator, client } = await setUp();
    expect((await put(client, [event()], { entity })).rejectedEntityInfo).toBeUndefined();
    expect(emulator.stats().violationCount).toBe(0);
  });

  it.each([
    ['MissingRequiredFields', {}],
    ['MissingRequiredFields', { keyAttributes: { Name: 'a', Environment: 'b' } }],
    ['InvalidTypeValue', { keyAttributes: { Type: 'Teapot', Name: 'a' } }],
    ['InvalidKeyAttributes', { keyAttributes: { Type: 'Service' } }],
    ['InvalidKeyAttributes', { keyAttributes: { Type: 'Service', Colour: 'red' } }],
    ['InvalidKeyAttributes', { keyAttributes: { Type: 'Service', Name: 'x'.repeat(513) } }],
    ['InvalidAttributes', { ...entity, attributes: { Host: '' } }],
    [
      'InvalidAttributes',
      { ...entity, attributes: Object.fromEntries(Array.from({ length: 11 }, (_, i) => [`k${i}`, 'v'])) },
    ],
  ])('is rejected as %s while the events are stored (case %#)', async (errorType, wrong) => {
    const { emulator, client } = await setUp();
    const output = await put(client, [event()], { entity: wrong });
    expect(output.rejectedEntityInfo).toEqual({ errorType });
    expect(emulator.stats()).toMatchObject({ storedEvents: 1, violations: [{ error: errorType }] });
  });
});
