// An emulator in a process of its own, so that it responds while pino blocks the main thread of the tests.
import { startCloudWatch, startLogService } from '@logferry/emulators';

const [name, port] = process.argv.slice(2);
const start = name === 'log-service' ? startLogService : startCloudWatch;
const emulator = await start({ port: Number(port), strict: true });
const { url, target, signedTarget } = emulator;
process.send({ url, target, signedTarget });
process.on('message', ({ id, call, argument }) => {
  const replies = {
    events: () => emulator.events(),
    stats: () => emulator.stats(),
    faults: () => emulator.faults(argument),
  };
  process.send({ id, result: replies[call]() });
});
process.on('disconnect', () => process.exit());
