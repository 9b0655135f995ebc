import {
  type CloudWatchLogsClient,
  CreateLogStreamCommand,
  DeleteLogStreamCommand,
  FilterLogEventsCommand,
  type FilterLogEventsCommandInput,
  GetLogEventsCommand,
  type GetLogEventsCommandInput,
} from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import { event, GROUP, NOW, put, setUp, TARGET } from './helpers.js';

const OTHER = { logGroupName: GROUP, logStreamName: 'web-2' };

async function setUpEvents() {
  const setup = await setUp();
  await setup.client.send(new CreateLogStreamCommand(OTHER));
  await put(setup.client, [event('GET /a 200', NOW - 4), event('GET /b 404', NOW - 2)]);
  await put(setup.client, [event('POST /a 500', NOW - 3), event('say "no way"', NOW - 1)], OTHER);
  return setup;
}

async function filter(client: CloudWatchLogsClient, input: Partial<FilterLogEventsCommandInput> = {}) {
  const output = await client.send(new FilterLogEventsCommand({ logGroupName: GROUP, ...input }));
  return { ...output, messages: (output.events ?? []).map(({ message }) => message) };
}

async function get(client: CloudWatchLogsClient, input: Partial<GetLogEventsCommandInput> = {}) {
  const output = await client.send(new GetLogEventsCommand({ ...TARGET, ...input }));
  return { ...output, messages: (output.events ?? []).map(({ message }) => message) };
}

describe('FilterLogEvents', () => {
  it('returns the events of all streams in order of time', async () => {
    const { client } = await setUpEvents();
    const { events, messages } = await filter(client);
    expect(messages).toEqual(['GET /a 200', 'POST /a 500', 'GET /b 404', 'say "no way"']);
    expect(events?.[1]).toEqual({
      logStreamName: OTHER.logStreamName,
      timestamp: NOW - 3,
      message: 'POST /a 500',
      ingestionTime: NOW,
      eventId: expect.any(String),
    });
    expect(new Set(events?.map(({ eventId }) => eventId)).size).toBe(4);
  });

  it('returns empty pages with a token as often as the fault plan says, and then all events', async () => {
    const { client, emulator } = await setUpEvents();
    emulator.faults({ next: ['emptyPage', 'emptyPage'], only: ['FilterLogEvents', 'GetLogEvents'] });
    const { nextToken, messages } = await filter(client, { limit: 3 });
    expect([nextToken, messages]).toEqual([expect.any(String), []]);
    // It is no fault of other operations.
    expect((await get(client, { startFromHead: true })).messages).toHaveLength(2);
    const page = await filter(client, { limit: 3, nextToken });
    expect(page.messages).toEqual(['GET /a 200', 'POST /a 500', 'GET /b 404']);
    expect((await filter(client, { limit: 3, nextToken: page.nextToken })).messages).toEqual(['say "no way"']);
  });

  it('filters by stream, prefix and time range with both ends inclusive', async () => {
    const { client } = await setUpEvents();
    expect((await filter(client, { logStreamNames: ['web-2'] })).messages).toEqual(['POST /a 500', 'say "no way"']);
    expect((await filter(client, { logStreamNamePrefix: 'web-1' })).messages).toEqual(['GET /a 200', 'GET /b 404']);
    expect((await filter(client, { startTime: NOW - 3, endTime: NOW - 2 })).messages).toEqual([
      'POST /a 500',
      'GET /b 404',
    ]);
    await expect(filter(client, { logStreamNames: ['a'], logStreamNamePrefix: 'b' })).rejects.toMatchObject({
      name: 'InvalidParameterException',
    });
  });

  it.each([
    ['GET', ['GET /a 200', 'GET /b 404']],
    ['get', []],
    ['GET 404', ['GET /b 404']],
    ['"/a 500"', ['POST /a 500']],
    ['"\\"no way\\"" say', ['say "no way"']],
    ['', ['GET /a 200', 'POST /a 500', 'GET /b 404', 'say "no way"']],
  ])('matches the terms and phrases of %s', async (filterPattern, messages) => {
    const { client } = await setUpEvents();
    expect((await filter(client, { filterPattern })).messages).toEqual(messages);
  });

  it.each(['{ $.status = 500 }', '[ip, user]', '%GET%', '?GET', '-GET', 'a/b', '"open', '"a"b'])(
    'refuses the unsupported pattern %s',
    async (filterPattern) => {
      const { client } = await setUpEvents();
      await expect(filter(client, { filterPattern })).rejects.toMatchObject({ name: 'InvalidParameterException' });
    },
  );

  it('pages forwards and backwards without losing or repeating an event', async () => {
    const { client } = await setUpEvents();
    for (const startFromHead of [true, false]) {
      const seen: (string | undefined)[] = [];
      let nextToken: string | undefined;
      let pages = 0;
      do {
        const page = await filter(client, { limit: 3, startFromHead, nextToken });
        seen.push(...page.messages);
        nextToken = page.nextToken;
        pages++;
      } while (nextToken);
      const all = ['GET /a 200', 'POST /a 500', 'GET /b 404', 'say "no way"'];
      expect(seen).toEqual(startFromHead ? all : all.reverse());
      expect(pages).toBe(2);
    }
  });

  it('returns no token with the last matching event', async () => {
    const { client } = await setUpEvents();
    expect((await filter(client, { filterPattern: 'GET', limit: 1 })).nextToken).toBeDefined();
    expect((await filter(client, { filterPattern: 'GET', limit: 2 })).nextToken).toBeUndefined();
  });

  it('returns at most 1 MiB per page', async () => {
    const { client } = await setUp();
    await put(client, [event('x'.repeat(700_000))]);
    await put(client, [event('y'.repeat(700_000))]);
    const first = await filter(client);
    expect(first.messages).toHaveLength(1);
    expect((await filter(client, { nextToken: first.nextToken })).messages[0]?.[0]).toBe('y');
  });

  it('finds the group by its ARN, and refuses two names for it and a wrong token', async () => {
    const { client } = await setUpEvents();
    const logGroupIdentifier = `arn:aws:logs:us-east-1:123456789012:log-group:${GROUP}`;
    expect((await filter(client, { logGroupName: undefined, logGroupIdentifier })).messages).toHaveLength(4);
    await expect(filter(client, { logGroupIdentifier })).rejects.toMatchObject({ name: 'InvalidParameterException' });
    await expect(filter(client, { nextToken: 'x' })).rejects.toThrow('The specified nextToken is invalid.');
  });

  it('omits the events of a deleted stream, even if a new stream has its name', async () => {
    const { client } = await setUpEvents();
    await client.send(new DeleteLogStreamCommand(TARGET));
    await client.send(new CreateLogStreamCommand(TARGET));
    expect((await filter(client)).messages).toEqual(['POST /a 500', 'say "no way"']);
  });
});

describe('GetLogEvents', () => {
  it('reads a stream from its head, in order of time', async () => {
    const { client } = await setUpEvents();
    await get(client);
    await put(client, [event('late arrival', NOW - 3)]);
    const { messages, events } = await get(client, { startFromHead: true });
    expect(messages).toEqual(['GET /a 200', 'late arrival', 'GET /b 404']);
    expect(events?.[0]).toEqual({ timestamp: NOW - 4, message: 'GET /a 200', ingestionTime: NOW });
  });

  it('reads the latest events without startFromHead, and pages in both directions', async () => {
    const { client } = await setUpEvents();
    expect((await get(client)).messages).toEqual(['GET /a 200', 'GET /b 404']);
    const last = await get(client, { limit: 1 });
    expect(last.messages).toEqual(['GET /b 404']);
    const before = await get(client, { limit: 1, nextToken: last.nextBackwardToken });
    expect(before.messages).toEqual(['GET /a 200']);
    expect((await get(client, { nextToken: before.nextForwardToken })).messages).toEqual(['GET /b 404']);
  });

  it('returns the same token at the end of the stream', async () => {
    const { client } = await setUpEvents();
    const { nextForwardToken } = await get(client, { startFromHead: true });
    const end = await get(client, { startFromHead: true, nextToken: nextForwardToken });
    expect(end).toMatchObject({ events: [], nextForwardToken });
  });

  it('excludes the end of the time range', async () => {
    const { client } = await setUpEvents();
    expect((await get(client, { startTime: NOW - 4, endTime: NOW - 2 })).messages).toEqual(['GET /a 200']);
  });

  it('refuses a missing stream', async () => {
    const { client } = await setUp();
    await expect(get(client, { logStreamName: 'none' })).rejects.toThrow('The specified log stream does not exist.');
  });
});
