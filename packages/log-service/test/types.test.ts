import type { Destination } from '@logferry/core';
import { expect, it } from 'vitest';
import { createLogService, type LogServiceFetch, type LogServiceOptions } from '../src/index.js';
import { batchOf } from './support/records.js';
import { send, startShop } from './support/servers.js';

const given = { endpoint: 'cn-hangzhou.log.aliyuncs.com', project: 'shop', logstore: 'web' };

/** Checked by the compiler only. */
export function calls(): readonly Destination[] {
  const globalFetch: LogServiceFetch = fetch;
  return [
    createLogService(given),
    createLogService({ ...given, fetch }),
    createLogService({ ...given, fetch: globalFetch }),
    createLogService({ ...given, fetch: (url, init) => fetch(url, { ...init, keepalive: true }) }),
    createLogService({ ...given, topic: undefined, tags: undefined, maxBatchBytes: undefined }),
    // @ts-expect-error the logstore is required
    createLogService({ endpoint: given.endpoint, project: 'shop' }),
    // @ts-expect-error unknown option
    createLogService({ ...given, accessKeyId: 'x' }),
    // @ts-expect-error not a compression
    createLogService({ ...given, compression: 'gzip' }),
    // @ts-expect-error not a policy
    createLogService({ ...given, oversize: 'cut' }),
    // @ts-expect-error tags are texts
    createLogService({ ...given, tags: { count: 1 } }),
    // @ts-expect-error not a fetch function
    createLogService({ ...given, fetch: () => 'x' }),
  ];
}

it('is done with its options when it is made', async () => {
  const { emulator } = await startShop();
  const tags: Record<string, string> = { env: 'test' };
  const options: LogServiceOptions = Object.freeze({ ...emulator.target, tags });
  const destination = createLogService(options);
  tags.__topic__ = 'not allowed';
  await send(destination, batchOf(destination, { message: 'x' }));
  expect(emulator.events()).toMatchObject([{ tags: { env: 'test' } }]);
});

it('has no more than a destination has to have', () => {
  expect(createLogService(given)).toMatchObject({ name: 'log-service', reads: 'fields' });
});
