import { createCloudWatch } from '@logferry/cloudwatch';
import { startCloudWatch } from '@logferry/emulators';
import { shipTo } from '../support/clouds.js';
import { destinationContract } from './destination.js';

destinationContract('CloudWatch', async () => {
  const emulator = await startCloudWatch();
  const plans = {
    throttle: { throttle: 1 },
    serverError: { serverError: 1 },
    reset: { reset: 1 },
    hang: { hang: 1 },
    never: {},
    often: { throttle: 0.2, serverError: 0.2, reset: 0.1 },
  };
  return {
    create: () => createCloudWatch(shipTo(emulator)),
    texts: () => emulator.events().map((event) => event.message),
    requests: () => Object.values(emulator.stats().requests).reduce((sum, count) => sum + count, 0),
    violations: () => emulator.stats().violations,
    fail: (how) => emulator.faults(plans[how]),
    close: () => emulator.close(),
  };
});
