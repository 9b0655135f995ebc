// Survives two uncaught exceptions, and logs after each.
import { once } from 'node:events';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';

const { default: winston } = await import(process.env.WINSTON);
const transport = new CloudWatchTransport({ logGroupName: 'shop', handleExceptions: true });
const logger = winston.createLogger({ exitOnError: false, transports: [transport] });
for (const round of [1, 2]) {
  const crashLogged = once(transport, 'finish');
  setImmediate(() => {
    throw new Error(`broken ${round}`);
  });
  await crashLogged;
  await new Promise(setImmediate);
  logger.info(`after ${round}`);
  logger.debug('hidden');
}
logger.end();
await once(logger, 'finish');
