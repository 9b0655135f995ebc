import assert from 'node:assert/strict';
import { destinationContract } from '@logferry/core/testing';
import { type LogServiceEmulator, startLogService } from '@logferry/emulators';
import { createLogService } from '@logferry/log-service';
import { test } from 'vitest';
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

const credentials = { accessKeyId: 'LTAI1', accessKeySecret: 'secret' };

const targets = [
  { name: 'Log Service', own: {}, optionsFor: ({ target }: LogServiceEmulator) => target },
  {
    name: 'Log Service, signed',
    own: { credentials },
    optionsFor: ({ signedTarget }: LogServiceEmulator) => signedTarget,
  },
];

for (const { name, own, optionsFor } of targets) {
  destinationContract(
    { test, assert },
    {
      name,
      createAt: (endpoint) => createLogService({ endpoint, project: 'shop', logstore: 'web', ...own }),
      tellsProgress: true,
      async start() {
        const emulator = await startLogService({ strict: true });
        return {
          create: () => createLogService(optionsFor(emulator)),
          texts: () => emulator.events().map(({ fields }) => fields.message ?? ''),
          requests: () => emulator.stats().requests,
          violations: () => emulator.stats().violations,
          fail: (how) => emulator.faults(plans[how]),
          close: () => emulator.close(),
        };
      },
    },
  );

  testEncoding(name, () =>
    createLogService({ endpoint: 'cn-hangzhou.log.aliyuncs.com', project: 'shop', logstore: 'web', ...own }),
  );
}
