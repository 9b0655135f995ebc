// An application that logs 5,000 records a second with a journal, and reports its memory each second.
import { setTimeout as sleep } from 'node:timers/promises';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import winston from 'winston';

const RECORDS_PER_SECOND = 5000;
const TICK_MS = 10;
/** Makes records of about 230 bytes, with the fields of winston. */
const PADDING = 'x'.repeat(190);

const transport = new CloudWatchTransport({ ...JSON.parse(process.argv[2]), onError() {} });
const logger = winston.createLogger({ transports: [transport] });

const startMs = performance.now();
let issued = 0;
const ticker = setInterval(() => {
  const due = ((performance.now() - startMs) / 1000) * RECORDS_PER_SECOND;
  for (let count = 0; count < 1000 && issued < due; count++) logger.info(`#${issued++}# ${PADDING}`);
}, TICK_MS);
const sampler = setInterval(() => process.send({ rss: process.memoryUsage.rss(), stats: transport.stats() }), 1000);

process.once('message', async () => {
  clearInterval(ticker);
  clearInterval(sampler);
  await transport.flush();
  process.send({ issued, stats: transport.stats() });
  await sleep(10);
  logger.end(() => process.disconnect());
});
