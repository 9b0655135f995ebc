import { CloudWatchLogs, CloudWatchLogsClient, type CloudWatchLogsClientConfig } from '@aws-sdk/client-cloudwatch-logs';
import type { Destination } from '@logferry/core';
import { expect, it } from 'vitest';
import { createCloudWatch } from '../src/index.js';
import { batchOf, deliver } from './support/events.js';
import { startEmulator } from './support/servers.js';

/** Checked by the compiler only. */
export function calls(sdkCredentials: NonNullable<CloudWatchLogsClientConfig['credentials']>): readonly Destination[] {
  return [
    createCloudWatch({ logGroupName: 'shop' }),
    createCloudWatch({ logGroupName: 'shop', client: new CloudWatchLogsClient({}) }),
    createCloudWatch({ logGroupName: 'shop', client: new CloudWatchLogs({}) }),
    createCloudWatch({ logGroupName: 'shop', credentials: sdkCredentials }),
    createCloudWatch({ logGroupName: 'shop', region: undefined, tags: undefined }),
    createCloudWatch({ logGroupName: 'shop', logGroupClass: 'A_CLASS_OF_NEXT_YEAR' }),
    // @ts-expect-error the group is required
    createCloudWatch({}),
    createCloudWatch({ logGroupName: 'shop', compression: 'gzip' }),
    // @ts-expect-error a compression of Log Service
    createCloudWatch({ logGroupName: 'shop', compression: 'lz4' }),
    // @ts-expect-error misspelt option
    createCloudWatch({ logGroupName: 'shop', retention: 7 }),
    createCloudWatch({ logGroupName: ({ level }) => level, logStreamName: ({ fields }) => String(fields.tenant) }),
    createCloudWatch({
      logGroupName: 'shop',
      route: ({ text }) => (text === '' ? undefined : { logStreamName: text }),
    }),
    // @ts-expect-error a name is no promise
    createCloudWatch({ logGroupName: 'shop', logStreamName: async () => 'web' }),
    // @ts-expect-error a misspelt member
    createCloudWatch({ logGroupName: 'shop', route: () => ({ logStream: 'web' }) }),
    // @ts-expect-error not a policy
    createCloudWatch({ logGroupName: 'shop', oversize: 'cut' }),
    // @ts-expect-error not a client
    createCloudWatch({ logGroupName: 'shop', client: {} }),
    // @ts-expect-error half of the credentials
    createCloudWatch({ logGroupName: 'shop', credentials: { accessKeyId: 'AKIA' } }),
    // @ts-expect-error not a key of an entity
    createCloudWatch({ logGroupName: 'shop', entity: { keyAttributes: { Type: 'Service', name: 'shop' } } }),
  ];
}

it('does not read its options after construction', async () => {
  const { emulator, access } = await startEmulator();
  const tags: Record<string, string> = { team: 'web' };
  const destination = createCloudWatch(Object.freeze({ logGroupName: 'shop', ...access, tags }));
  tags['not allowed!'] = '';
  await deliver(destination, batchOf(destination, 'x'));
  expect(emulator.events()).toHaveLength(1);
});
