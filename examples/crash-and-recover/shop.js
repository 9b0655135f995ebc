// Logs with a journal: a record is on disk before the log call returns, so no end of the process loses it.
import { writeSync } from 'node:fs';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import winston from 'winston';

const [directory, ...flags] = process.argv.slice(2);
const cloud = new CloudWatchTransport({
  logGroupName: 'logferry-examples',
  logStreamName: 'crash-and-recover/{hostname}/{pid}',
  spool: { directory },
});
const logger = winston.createLogger({ format: winston.format.json(), transports: [cloud] });

for (let order = 1; order <= 200; order++) logger.info('order placed', { order });
logger.warn('stock is low', { article: 'blue ink' });
logger.error('payment failed', { order: 7 });

if (flags.includes('--hang')) {
  writeSync(1, `${JSON.stringify(cloud.stats())}\n`);
  // The process stands still before its first request, and is killed then.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
}

// What the killed process left is delivered in the background, and at the latest here.
logger.once('finish', () => console.log(JSON.stringify(cloud.stats())));
logger.end();
