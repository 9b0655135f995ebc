import { startLogService } from '@logferry/emulators';
import { createLogService } from '@logferry/log-service';
import { destinationContract } from './destination.js';

destinationContract('Log Service', async () => {
  const emulator = await startLogService();
  const plans = {
    throttle: { throttle: 1 },
    serverError: { serverError: 1 },
    reset: { reset: 1 },
    hang: { hang: 1 },
    never: {},
    often: { throttle: 0.2, serverError: 0.2, reset: 0.1 },
  };
  return {
    create: () => createLogService(emulator.target),
    texts: () => emulator.events().map(({ fields }) => fields.message ?? ''),
    requests: () => emulator.stats().requests,
    violations: () => emulator.stats().violations,
    fail: (how) => emulator.faults(plans[how]),
    close: () => emulator.close(),
  };
});
