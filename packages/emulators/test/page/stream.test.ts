import { gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCloudWatch } from '../../src/index.js';
import { all, ask, connect, openStream, put, setUpDev, track } from './page-helpers.js';

describe('the stream of the page', () => {
  it('begins with both clouds and what a program needs to reach them', async () => {
    const { url, cloudWatch, logService } = await setUpDev({
      project: 'shop',
      logstores: ['web'],
      region: 'eu-central-1',
    });
    const stream = await openStream(url);
    await expect.poll(() => stream.messages.length).toBeGreaterThan(1);
    expect(stream.messages[0]?.hello).toMatchObject({
      isResumed: false,
      clouds: [
        { name: 'cloudwatch', endpoint: cloudWatch.url, region: 'eu-central-1', env: cloudWatch.env },
        { name: 'log-service', endpoint: logService.url, target: { project: 'shop', logstore: 'web' } },
      ],
    });
    expect(all(stream, 'places')).toEqual([[[1, 'web', '', 0]]]);
  });

  it('shows the records of both clouds, with their place, times and request', async () => {
    const { url, cloudWatch, logService } = await setUpDev();
    const client = await connect(cloudWatch);
    const stream = await openStream(url);
    await put(client, ['{"level":"info"}']);
    await track(logService.url, 'logs', {
      __topic__: 'checkout',
      __tags__: { env: 'dev' },
      __logs__: [{ level: 'warn' }],
    });
    await expect.poll(() => stream.contents()).toEqual(['{"level":"info"}', { level: 'warn' }]);
    const [event] = cloudWatch.events();
    const [log] = logService.events();
    const records = all(stream, 'records').flat();
    expect(records).toContainEqual([
      0,
      [['shop', 'web-1', event?.timestamp, event?.ingestionTime, event?.requestId, '{"level":"info"}']],
    ]);
    expect(records).toContainEqual([
      1,
      [
        [
          'logs',
          'checkout',
          log?.time,
          log?.receiveTime,
          log?.requestId,
          { level: 'warn' },
          { source: 'host-1', tags: { env: 'dev' } },
        ],
      ],
    ]);
    expect(all(stream, 'places').flat()).toEqual(
      expect.arrayContaining([
        [0, 'shop', 'web-1', 1],
        [1, 'logs', 'checkout', 1],
      ]),
    );
  });

  it('shows empty groups and streams once they are created', async () => {
    const { url, cloudWatch } = await setUpDev();
    const stream = await openStream(url);
    await connect(cloudWatch);
    await expect.poll(() => all(stream, 'places').flat()).toContainEqual([0, 'shop', 'web-1', 0]);
    expect(all(stream, 'places').flat()).toContainEqual([0, 'shop', '', 0]);
  });

  it('describes each request: size, compression, answer, records, fault and violations in words', async () => {
    const { url, cloudWatch, logService } = await setUpDev();
    const client = await connect(cloudWatch);
    const stream = await openStream(url);
    const entries = () =>
      all(stream, 'requests')
        .flat()
        .map(([, entry]) => entry);
    await put(client, ['one', 'two']);
    await expect.poll(entries).toContainEqual(
      expect.objectContaining({
        ...{ operation: 'PutLogEvents', target: 'shop:web-1', answer: 200, stored: 2, rejected: 0, bytes: 58 },
        ...{ compression: 'none', violations: [] },
      }),
    );

    cloudWatch.faults({ next: ['throttle', 'rejectOld', 'reset'] });
    for (const message of ['a', 'b', 'c']) await put(client, [message]);
    await expect.poll(entries).toContainEqual(expect.objectContaining({ answer: 'reset', fault: 'reset' }));
    expect(entries()).toContainEqual(
      expect.objectContaining({
        answer: 400,
        error: 'ThrottlingException: Rate exceeded',
        fault: 'throttle',
        stored: 0,
      }),
    );
    expect(entries()).toContainEqual(
      expect.objectContaining({ answer: 200, stored: 0, rejected: 1, fault: 'rejectOld' }),
    );

    await ask(cloudWatch.url, '/', {
      method: 'POST',
      headers: { 'x-amz-target': 'Logs_20140328.PutLogEvents', 'content-encoding': 'gzip' },
      body: gzipSync('{}').toString('latin1'),
    });
    const violation = `UnknownOperationException: Expected content-type: application/x-amz-json-1.1`;
    await expect
      .poll(entries)
      .toContainEqual(expect.objectContaining({ compression: 'gzip', error: violation, violations: [violation] }));

    await track(logService.url, 'logs', { __logs__: [{ level: 30 }] });
    await expect.poll(entries).toContainEqual(
      expect.objectContaining({
        operation: 'PutWebTracking',
        violations: ['PostBodyInvalid: wrong data type: __logs__[0].level is of type number'],
      }),
    );
  });

  it('adds up the seconds for the chart, with refusals', async () => {
    const { url, cloudWatch } = await setUpDev();
    const client = await connect(cloudWatch);
    cloudWatch.faults({ next: ['ok', 'serverError', 'hang'] });
    await put(client, ['one', 'two']);
    await put(client, ['three']);
    void put(client, ['four']);
    const stream = await openStream(url);
    const sum = (name: 'records' | 'requests' | 'refused') => {
      const latest = new Map(
        all(stream, 'seconds')
          .flat()
          .map((second) => [second.second, second]),
      );
      return [...latest.values()].reduce((total, second) => total + second[name], 0);
    };
    // Two of them create the group and the stream.
    await expect.poll(() => sum('requests')).toBe(5);
    expect(sum('records')).toBe(2);
    expect(sum('refused')).toBe(2);
  });

  it('counts all requests and violations for a browser that comes later than they are kept', async () => {
    const { url, cloudWatch } = await setUpDev();
    const request = { method: 'POST', headers: { 'x-amz-target': 'Logs_20140328.PutLogEvents' }, body: '{' };
    for (let sent = 0; sent < 2100; sent += 100)
      await Promise.all(Array.from({ length: 100 }, () => fetch(cloudWatch.url, request).then((each) => each.text())));
    const stream = await openStream(url);
    await expect.poll(() => all(stream, 'requests').flat().length).toBe(2000);
    const { violationCount } = cloudWatch.stats();
    expect(all(stream, 'totals').at(-1)).toEqual({ requests: 2100, violations: violationCount });
  });

  it('continues where a browser was after a broken connection', async () => {
    const { url, cloudWatch } = await setUpDev();
    const client = await connect(cloudWatch);
    const first = await openStream(url);
    await put(client, ['one']);
    await expect.poll(() => first.contents()).toEqual(['one']);
    first.close();
    await put(client, ['two']);
    const second = await openStream(url, first.lastId());
    await expect.poll(() => second.contents()).toEqual(['two']);
    expect(second.messages[0]?.hello?.isResumed).toBe(true);
  });

  it('begins anew for a browser that saw an earlier run of the server', async () => {
    const earlier = await openStream((await setUpDev()).url);
    await expect.poll(() => earlier.lastId()).not.toBe('');
    const { url, cloudWatch } = await setUpDev();
    await put(await connect(cloudWatch), ['one']);
    const stream = await openStream(url, earlier.lastId());
    await expect.poll(() => stream.contents()).toEqual(['one']);
    expect(stream.messages[0]?.hello?.isResumed).toBe(false);
  });

  it('gives a new browser the last 20,000 records of a cloud', async () => {
    const { url, cloudWatch } = await setUpDev();
    const client = await connect(cloudWatch);
    for (let batch = 0; batch < 3; batch++)
      await put(
        client,
        Array.from({ length: 10_000 }, (_, index) => `${batch}-${index}`),
      );
    const stream = await openStream(url);
    await expect.poll(() => stream.contents().length).toBe(20_000);
    expect(stream.contents()[0]).toBe('1-0');
    expect(all(stream, 'skipped')).toEqual([]);
  });

  it('skips records for a browser that does not read, and says how many', async () => {
    const { url, cloudWatch } = await setUpDev();
    const client = await connect(cloudWatch);
    const stream = await openStream(url);
    await expect.poll(() => stream.messages.length).toBeGreaterThan(0);
    stream.pause();
    const sent = 60_000;
    const padding = 'x'.repeat(200);
    for (let batch = 0; batch < sent / 4000; batch++)
      await put(
        client,
        Array.from({ length: 4000 }, (_, index) => `${batch}-${index} ${padding}`),
      );
    // The server has stopped writing once the connection takes no more: what is skipped is decided by what it keeps then.
    stream.resume();
    const skipped = () => all(stream, 'skipped').reduce((sum, count) => sum + count, 0);
    await expect.poll(() => stream.contents().length + skipped()).toBe(sent);
    expect(skipped()).toBeGreaterThan(0);
    expect(String(stream.contents().at(-1))).toMatch(/^14-3999 /);
  });

  it('shows a record of one cloud at once while the other is flooded', async () => {
    const { url, cloudWatch, logService } = await setUpDev();
    const client = await connect(cloudWatch);
    for (let batch = 0; batch < 2; batch++) await put(client, Array<string>(10_000).fill('flood'));
    await track(logService.url, 'logs', { __logs__: [{ message: 'single' }] });
    const stream = await openStream(url);
    await expect.poll(() => stream.messages.length).toBeGreaterThan(1);
    expect(stream.messages[1]?.records?.map(([cloud, sent]) => [cloud, sent.length])).toEqual([
      [0, 5000],
      [1, 1],
    ]);
  });

  it('serves one cloud alone with the option of its start function', async () => {
    const server = await startCloudWatch({ page: true });
    onTestFinished(() => server.close());
    const client = await connect(server);
    const stream = await openStream(server.url);
    await put(client, ['alone']);
    await expect.poll(() => stream.contents()).toEqual(['alone']);
    expect(stream.messages[0]?.hello?.clouds).toHaveLength(1);
  });

  it('serves 32 tabs, and refuses more', async () => {
    const { url } = await setUpDev();
    const streams = [];
    for (let tab = 0; tab < 32; tab++) streams.push(await openStream(url));
    expect(await ask(url, '/_logferry/stream')).toMatchObject({ status: 503 });
    streams[0]?.close();
    await expect.poll(() => openStream(url).then(({ status }) => status)).toBe(200);
  });
});
