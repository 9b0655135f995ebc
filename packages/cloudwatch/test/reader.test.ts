import { CloudWatchLogsClient, CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { createShipper } from '@logferry/core';
import { expect, it, onTestFinished } from 'vitest';
import { type CloudWatchReaderOptions, createCloudWatch, createCloudWatchReader } from '../src/index.js';
import { isolate } from './support/environment.js';
import { type Access, startEmulator, startServer } from './support/servers.js';

const now = Date.now();
const signal = new AbortController().signal;

function reader(options: CloudWatchReaderOptions) {
  const made = createCloudWatchReader(options);
  onTestFinished(() => made.close());
  return made;
}

async function ship(access: Access, logStreamName: string, texts: readonly string[]): Promise<void> {
  const shipper = createShipper(createCloudWatch({ logGroupName: 'shop', logStreamName, ...access }));
  for (const [index, text] of texts.entries())
    shipper.accept({ time: now + index, level: 'info', urgent: false, text, fields: {} });
  await shipper.close();
}

it('reads the events of all streams, or of some, from a time on', async () => {
  isolate();
  const { emulator, access } = await startEmulator();
  await ship(access, 'web-1', ['one', 'three']);
  await ship(access, 'web-2', ['two']);
  const shop = reader({ logGroupName: 'shop', ...access });
  const messages = async (query: Parameters<typeof shop.readPage>[0]): Promise<string[]> =>
    (await shop.readPage(query, signal)).events.map(({ message }) => message);
  expect(await messages({})).toEqual(['one', 'two', 'three']);
  expect(await messages({ logStreamName: 'web-2' })).toEqual(['two']);
  expect(await messages({ logStreamNamePrefix: 'web-1' })).toEqual(['one', 'three']);
  expect(await messages({ startTimeMs: now + 0.5 + 1 })).toEqual(['three']);
  const { events } = await shop.readPage({ logStreamName: 'web-2' }, signal);
  expect(events).toEqual([{ id: expect.stringMatching(/./), timeMs: now, message: 'two', logStreamName: 'web-2' }]);
  expect(emulator.stats().requests).toMatchObject({ FilterLogEvents: 5 });
});

it('reads page by page, also pages that are larger than any other response', async () => {
  const { access } = await startEmulator();
  const texts = Array.from({ length: 5 }, (_, index) => index + '"'.repeat(400_000));
  await ship(access, 'web', texts);
  const shop = reader({ logGroupName: 'shop', ...access });
  const first = await shop.readPage({}, signal);
  expect(first.events.map(({ message }) => message)).toEqual(texts.slice(0, 2));
  const { nextToken } = first;
  const second = await shop.readPage({ nextToken }, signal);
  const third = await shop.readPage({ nextToken: second.nextToken }, signal);
  expect([...second.events, ...third.events].map(({ message }) => message)).toEqual(texts.slice(2));
  expect(third.nextToken).toBeUndefined();
});

it('reads an empty group, and no group as NOT_FOUND', async () => {
  const { access } = await startEmulator();
  const client = new CloudWatchLogsClient(access);
  await client.send(new CreateLogGroupCommand({ logGroupName: 'shop' }));
  client.destroy();
  expect(await reader({ logGroupName: 'shop', ...access }).readPage({}, signal)).toEqual({ events: [] });
  await expect(reader({ logGroupName: 'none', ...access }).readPage({}, signal)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringContaining('FilterLogEvents from "none", at 127.0.0.1:'),
  });
});

it('rejects with the code of a failure, and makes one request a page', async () => {
  const { emulator, access } = await startEmulator();
  await ship(access, 'web', ['one']);
  const shop = reader({ logGroupName: 'shop', ...access });
  emulator.faults({ next: ['throttle', 'serverError', 'accessDenied'], only: ['FilterLogEvents'] });
  await expect(shop.readPage({}, signal)).rejects.toMatchObject({ code: 'THROTTLED' });
  await expect(shop.readPage({}, signal)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  const action = expect.stringContaining('that IAM allows them logs:FilterLogEvents');
  await expect(shop.readPage({}, signal)).rejects.toMatchObject({ code: 'AUTH', message: action });
  expect(emulator.stats().requests.FilterLogEvents).toBe(3);
  await expect(shop.readPage({}, AbortSignal.abort())).rejects.toMatchObject({ code: 'TIMEOUT' });
});

it('takes no page of some other server for one of the service', async () => {
  const { access } = await startServer(() => ({ status: 200, body: '{"status":"ok"}' }));
  await expect(reader({ logGroupName: 'shop', ...access }).readPage({}, signal)).rejects.toMatchObject({
    code: 'MISCONFIGURED',
  });
});

it('refuses wrong options', () => {
  const wrong = (options: object) => () => createCloudWatchReader(options as CloudWatchReaderOptions);
  expect(wrong({ logGroupName: '{hostname}' })).toThrow('logGroupName: expected the name of one log group');
  expect(wrong({})).toThrow('logGroupName: expected the name of one log group');
  expect(wrong({ logGroupName: 'shop', logStreamName: 'a' })).toThrow('logStreamName');
  expect(wrong({ logGroupName: 'shop', endpoint: 'nowhere' })).toThrow('endpoint: expected a URL');
});
