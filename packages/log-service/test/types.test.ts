import type { Destination } from '@logferry/core';
import { expect, it } from 'vitest';
import { createLogService, type LogServiceFetch, type LogServiceOptions } from '../src/index.js';
import { batchOf } from './support/records.js';
import { send, startShop } from './support/servers.js';

const required = { endpoint: 'cn-hangzhou.log.aliyuncs.com', project: 'shop', logstore: 'web' };

/** Checked by the compiler only. */
export function calls(): readonly Destination[] {
  const globalFetch: LogServiceFetch = fetch;
  return [
    createLogService(required),
    createLogService({ ...required, fetch }),
    createLogService({ ...required, fetch: globalFetch }),
    createLogService({ ...required, fetch: (url, init) => fetch(url, { ...init, keepalive: true }) }),
    createLogService({ ...required, topic: undefined, tags: undefined, maxBatchBytes: undefined }),
    // @ts-expect-error the logstore is missing
    createLogService({ endpoint: required.endpoint, project: 'shop' }),
    // @ts-expect-error unknown option
    createLogService({ ...required, accessKeyId: 'x' }),
    // @ts-expect-error not a compression
    createLogService({ ...required, compression: 'gzip' }),
    // @ts-expect-error not a policy
    createLogService({ ...required, oversize: 'cut' }),
    createLogService({
      ...required,
      logstore: ({ fields }) => String(fields.tenant),
      tags: { level: ({ level }) => level },
    }),
    createLogService({ ...required, route: ({ level }) => (level === 'info' ? undefined : { topic: level }) }),
    // @ts-expect-error Log Service ships no line
    createLogService({ ...required, topic: ({ text }) => text.slice(1) }),
    // @ts-expect-error a name is no promise
    createLogService({ ...required, topic: async () => 'x' }),
    // @ts-expect-error tags are texts
    createLogService({ ...required, tags: { count: 1 } }),
    // @ts-expect-error not a fetch function
    createLogService({ ...required, fetch: () => 'x' }),
  ];
}

it('does not read its options after construction', async () => {
  const { emulator } = await startShop();
  const tags: Record<string, string> = { env: 'test' };
  const options: LogServiceOptions = Object.freeze({ ...emulator.target, tags });
  const destination = createLogService(options);
  tags.__topic__ = 'not allowed';
  await send(destination, batchOf(destination, { message: 'x' }));
  expect(emulator.events()).toMatchObject([{ tags: { env: 'test' } }]);
});

it('has the name and the input of a destination', () => {
  expect(createLogService(required)).toMatchObject({ name: 'log-service', reads: 'fields' });
});
