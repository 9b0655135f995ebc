import { describe, expect, it } from 'vitest';
import { all, changeFaults, connect, openStream, put, setUpDev, track } from './page-helpers.js';

describe('the fault switches of the page', () => {
  it.each([
    ['throttle', 'ThrottlingException'],
    ['serverError', 'ServiceUnavailableException'],
    ['reset', 'TimeoutError'],
    ['denied', 'AccessDeniedException'],
  ])('%s on makes CloudWatch Logs refuse, and off ends it', async (name, error) => {
    const { url, cloudWatch } = await setUpDev();
    const client = await connect(cloudWatch);
    expect(await changeFaults(url, 'cloudwatch', { [name]: 1 })).toMatchObject({ status: 204 });
    expect(await put(client, ['one'])).toBe(error);
    await changeFaults(url, 'cloudwatch', { [name]: 0 });
    expect(await put(client, ['one'])).toBeUndefined();
  });

  it.each([
    ['throttle', 429],
    ['serverError', 500],
    ['denied', 401],
  ])('%s on makes Log Service refuse, and the other cloud goes on', async (name, status) => {
    const { url, cloudWatch, logService } = await setUpDev();
    const client = await connect(cloudWatch);
    await changeFaults(url, 'log-service', { [name]: 1 });
    expect(await track(logService.url, 'logs', { __logs__: [{ level: 'info' }] })).toBe(status);
    expect(await put(client, ['one'])).toBeUndefined();
    await changeFaults(url, 'log-service');
    expect(await track(logService.url, 'logs', { __logs__: [{ level: 'info' }] })).toBe(200);
  });

  it('down resets each connection, latency delays, and a skewed clock refuses signatures', async () => {
    const { url, cloudWatch } = await setUpDev();
    const client = await connect(cloudWatch);
    await changeFaults(url, 'cloudwatch', { down: true });
    expect(await put(client, ['one'])).toBe('TimeoutError');
    await changeFaults(url, 'cloudwatch', { down: false });

    await changeFaults(url, 'cloudwatch', { latencyMs: 150 });
    const start = performance.now();
    expect(await put(client, ['two'])).toBeUndefined();
    expect(performance.now() - start).toBeGreaterThan(140);
    await changeFaults(url, 'cloudwatch', { latencyMs: 0 });

    await changeFaults(url, 'cloudwatch', { skewMs: 20 * 60_000 });
    expect(await put(client, ['three'])).toBe('InvalidSignatureException');
    await changeFaults(url, 'cloudwatch');
    await expect.poll(() => put(client, ['four'])).toBeUndefined();
  });

  it('show their positions, also those that a program sets, and keep the other members of its plan', async () => {
    const { url, cloudWatch } = await setUpDev();
    const client = await connect(cloudWatch);
    const stream = await openStream(url);
    const positions = () => all(stream, 'switches').at(-1)?.[0];
    cloudWatch.faults({ throttle: 0.25, delayMs: [10, 40], where: { logStreamName: 'other' } });
    await expect.poll(positions).toMatchObject({ throttle: 0.25, latencyMs: 40, down: false, others: ['where'] });
    await changeFaults(url, 'cloudwatch', { serverError: 1 });
    await expect.poll(positions).toMatchObject({ serverError: 1, others: ['where'] });
    expect(await put(client, ['of web-1'])).toBeUndefined();
    await changeFaults(url, 'cloudwatch');
    await expect.poll(positions).toMatchObject({ serverError: 0, throttle: 0, latencyMs: 0, others: [] });
  });

  it('lower the other probabilities when the sum would exceed 1', async () => {
    const { url } = await setUpDev();
    const stream = await openStream(url);
    const positions = () => all(stream, 'switches').at(-1)?.[1];
    await changeFaults(url, 'log-service', { throttle: 0.6 });
    await changeFaults(url, 'log-service', { reset: 0.2 });
    await expect.poll(positions).toMatchObject({ throttle: 0.6, reset: 0.2 });
    await changeFaults(url, 'log-service', { hang: 0.6 });
    await expect
      .poll(positions)
      .toMatchObject({ hang: 0.6, throttle: expect.closeTo(0.3), reset: expect.closeTo(0.1) });
    await changeFaults(url, 'log-service', { denied: 1 });
    await expect.poll(positions).toMatchObject({ denied: 1, hang: 0, throttle: 0, reset: 0 });
  });

  it.each([
    ['cloud', 'azure', { throttle: 1 }, 'expected the name of a cloud on this page, got azure'],
    ['switch', 'cloudwatch', { flood: 1 }, 'name of the switch: expected "throttle" or'],
    ['value', 'cloudwatch', { throttle: 2 }, 'throttle: expected a number from 0 to 1, got 2'],
    ['type', 'cloudwatch', { down: 'yes' }, 'down: expected true or false, got "yes"'],
    ['change', 'cloudwatch', null, 'expected one switch, got 0'],
    ['number of switches', 'cloudwatch', { throttle: 0.1, reset: 0.1 }, 'expected one switch, got 2'],
  ])('refuse a wrong %s in words, and stay as they are', async (_, cloud, change, message) => {
    const { url, cloudWatch } = await setUpDev();
    const client = await connect(cloudWatch);
    expect(await changeFaults(url, cloud, change)).toMatchObject({
      status: 400,
      body: expect.stringContaining(message),
    });
    expect(await put(client, ['one'])).toBeUndefined();
  });
});
