import { createRequire } from 'node:module';
import { type LogServiceEmulator, startLogService } from '@logferry/emulators';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

/** The official clients are built for browsers and mini programs: they find their means of sending in globals when they are loaded. */
const require = createRequire(import.meta.url);

let service: LogServiceEmulator;
beforeEach(async () => {
  service = await startLogService();
});
afterEach(async () => {
  vi.unstubAllGlobals();
  await service.close();
});

const stored = async (): Promise<unknown[]> => {
  await expect.poll(() => service.stats().requests).toBe(1);
  expect(service.stats()).toMatchObject({ violations: [], accepted: 1 });
  return service.events().map(({ fields }) => fields);
};

it('the emulator takes logs of the official client for browsers', async () => {
  vi.stubGlobal('navigator', {
    sendBeacon(url: string, body: string) {
      void fetch(url, { method: 'POST', body });
      return true;
    },
  });
  vi.stubGlobal('window', new EventTarget());
  const Tracker = require('@aliyun-sls/web-track-browser');
  new Tracker({ ...service.target, host: service.url, count: 1 }).send({ page: '首页', visit: 1 });
  expect(await stored()).toEqual([{ page: '首页', visit: '1' }]);
});

it('the emulator takes logs of the official client for mini programs', async () => {
  vi.stubGlobal('wx', {
    request({
      url,
      method,
      header,
      data,
    }: {
      url: string;
      method: string;
      header: Record<string, string>;
      data: string;
    }) {
      // The client has no way to name another scheme.
      void fetch(url.replace('https://local.mini', service.url), { method, headers: header, body: data });
    },
    onAppHide() {},
  });
  const { default: Tracker } = require('@aliyun-sls/web-track-mini');
  new Tracker({ ...service.target, host: 'mini', count: 1 }).send({ page: '首页', visit: 1 });
  expect(await stored()).toEqual([{ page: '首页', visit: '1' }]);
});
