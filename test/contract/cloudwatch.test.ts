import assert from 'node:assert/strict';
import { createCloudWatch } from '@logferry/cloudwatch';
import { destinationContract } from '@logferry/core/testing';
import { startCloudWatch } from '@logferry/emulators';
import { test } from 'vitest';
import { shipTo } from '../support/clouds.js';
import { testEncoding } from '../support/encoding.js';

const plans = {
  throttle: { throttle: 1 },
  serverError: { serverError: 1 },
  reset: { reset: 1 },
  hang: { hang: 1 },
  refuse: { poison: () => true },
  tooLarge: { tooLarge: 1 },
  never: {},
  often: { throttle: 0.2, serverError: 0.2, reset: 0.1 },
};

const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };

destinationContract(
  { test, assert },
  {
    name: 'CloudWatch',
    // With the default name of a stream its creation comes first.
    createAt: (endpoint) =>
      createCloudWatch({ logGroupName: 'shop', logStreamName: 'web', region: 'us-east-1', endpoint, credentials }),
    tellsProgress: true,
    async start() {
      const emulator = await startCloudWatch({ strict: true });
      return {
        create: () => createCloudWatch({ ...shipTo(emulator), logStreamName: 'contract' }),
        texts: () => emulator.events().map((event) => event.message),
        requests: () => Object.values(emulator.stats().requests).reduce((sum, count) => sum + count, 0),
        violations: () => emulator.stats().violations,
        fail: (how) => emulator.faults(plans[how]),
        close: () => emulator.close(),
      };
    },
  },
);

testEncoding('CloudWatch', () => createCloudWatch({ logGroupName: 'shop' }));
