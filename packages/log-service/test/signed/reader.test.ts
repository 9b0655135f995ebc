import { createShipper } from '@logferry/core';
import { type LogServiceEmulator, type LogServiceEmulatorOptions, startLogService } from '@logferry/emulators';
import { expect, it, onTestFinished } from 'vitest';
import { createLogService, createLogServiceReader, type LogServiceReaderOptions } from '../../src/index.js';
import { keyOf } from '../support/signed.js';

const now = Date.now();
const signal = new AbortController().signal;
const ALL = { fromSeconds: Math.floor(now / 1000) - 60, toSeconds: Math.floor(now / 1000) + 60, offset: 0 };

async function start(options: LogServiceEmulatorOptions = {}) {
  const emulator = await startLogService({ strict: true, region: 'cn-hangzhou', ...options });
  onTestFinished(() => emulator.close());
  return emulator;
}

function reader(emulator: LogServiceEmulator, options: Partial<LogServiceReaderOptions> = {}) {
  const made = createLogServiceReader({ ...emulator.target, credentials: keyOf(emulator), ...options });
  onTestFinished(() => made.close());
  return made;
}

async function ship(emulator: LogServiceEmulator, count: number, topic?: string): Promise<void> {
  const shipper = createShipper(createLogService({ ...emulator.target, credentials: keyOf(emulator), topic }));
  for (let index = 0; index < count; index++)
    shipper.accept({ time: now + index, level: 'info', urgent: false, text: '', fields: { index } });
  await shipper.close();
}

it.each([undefined, 'cn-hangzhou'])(
  'reads pages of a hundred by requests that are signed for the region %s',
  async (region) => {
    const emulator = await start();
    await ship(emulator, 150, '订单 +&=*');
    await ship(emulator, 1);
    const logs = reader(emulator, { region });
    const query = { ...ALL, topic: '订单 +&=*' };
    const first = await logs.readPage(query, signal);
    const second = await logs.readPage({ ...query, offset: 100 }, signal);
    expect([...first.logs, ...second.logs].map(({ index }) => Number(index))).toEqual([...Array(150).keys()]);
    expect([first.isLast, second.isLast, first.isComplete]).toEqual([false, true, true]);
    expect((await logs.readPage({ ...ALL, offset: 100 }, signal)).logs).toHaveLength(51);
    expect(emulator.stats()).toMatchObject({ operations: { GetLogs: 3 }, violationCount: 0 });
  },
);

it('tells that the service found a part only', async () => {
  const emulator = await start();
  await ship(emulator, 2);
  emulator.faults({ next: ['incomplete'], only: ['GetLogs'] });
  const logs = reader(emulator);
  expect(await logs.readPage(ALL, signal)).toMatchObject({ isComplete: false, logs: [{ index: '1' }] });
  expect(await logs.readPage(ALL, signal)).toMatchObject({ isComplete: true, logs: [{ index: '0' }, { index: '1' }] });
});

it('signs anew with the time of the service, and with other keys', async () => {
  const clock = (): number => Date.now() + 3_600_000;
  const emulator = await start({ clock });
  const logs = reader(emulator);
  await expect(logs.readPage(ALL, signal)).rejects.toMatchObject({ code: 'AGAIN' });
  expect((await logs.readPage(ALL, signal)).logs).toEqual([]);
  const keys = [{ accessKeyId: 'LTAIold', accessKeySecret: 'old' }, keyOf(emulator)];
  const renewed = reader(emulator, { credentials: () => keys.shift() as ReturnType<typeof keyOf> });
  await expect(renewed.readPage(ALL, signal)).rejects.toMatchObject({ code: 'AGAIN' });
  await expect(renewed.readPage(ALL, signal)).rejects.toMatchObject({ code: 'AGAIN' });
  expect((await renewed.readPage(ALL, signal)).logs).toEqual([]);
});

it('rejects with the code of a failure, and names the missing right', async () => {
  const emulator = await start();
  const logs = reader(emulator);
  emulator.faults({ next: ['readQuota', 'busy', 'reset', 'unauthorized'], only: ['GetLogs'] });
  await expect(logs.readPage(ALL, signal)).rejects.toMatchObject({ code: 'THROTTLED' });
  await expect(logs.readPage(ALL, signal)).rejects.toMatchObject({ code: 'UNAVAILABLE' });
  await expect(logs.readPage(ALL, signal)).rejects.toMatchObject({ code: expect.stringMatching(/^(NETWORK|AGAIN)$/) });
  const message = expect.stringContaining(
    'the RAM policy does not allow log:GetLogStoreLogs on acs:log:*:*:project/local/logstore/logs',
  );
  await expect(logs.readPage(ALL, signal)).rejects.toMatchObject({ code: 'AUTH', message });
  await expect(reader(emulator, { logstore: 'none' }).readPage(ALL, signal)).rejects.toMatchObject({
    code: 'NOT_FOUND',
    message: expect.stringMatching(/^GetLogs from logstore "none" of project "local" at /),
  });
  await expect(logs.readPage(ALL, AbortSignal.abort())).rejects.toMatchObject({ code: 'TIMEOUT' });
});

it('refuses wrong options', async () => {
  const emulator = await start();
  expect(() => reader(emulator, { credentials: undefined as never })).toThrow('web tracking only writes');
  expect(() => reader(emulator, { logstore: 'logs-{level}' })).toThrow('logstore: expected the name of one logstore');
});
