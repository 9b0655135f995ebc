// Sends a pino log to Alibaba Cloud Log Service from pino's worker thread.
import { close, flush, stats } from '@logferry/pino';
import pino from 'pino';

const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore } = process.env;
const transport = pino.transport({
  target: '@logferry/pino/log-service',
  options: { endpoint, project, logstore, topic: 'pino', tags: { env: 'example' } },
});
const logger = pino(transport);

for (let visit = 1; visit <= 200; visit++) logger.info({ visit }, 'visitor paid');
logger.warn({ left: 3 }, 'stock is low');
logger.error(new Error('card declined'), 'payment failed');

await flush(transport);
console.log(JSON.stringify(await stats(transport)));
await close(transport);
