// Sends a winston log to Alibaba Cloud Log Service by signed requests: the service keeps the time of each record, web tracking
// stays off, and a missing logstore is created. The access key is that of the environment: ALIBABA_CLOUD_ACCESS_KEY_ID and
// ALIBABA_CLOUD_ACCESS_KEY_SECRET.
import { LogServiceTransport } from '@logferry/winston/log-service';
import winston from 'winston';

const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project } = process.env;
const cloud = new LogServiceTransport({
  endpoint,
  project,
  logstore: 'signed-example',
  credentials: 'env',
  createMissing: true,
  index: true,
  topic: 'signed',
});
const logger = winston.createLogger({
  defaultMeta: { service: 'shop' },
  transports: [new winston.transports.Console({ level: 'warn', format: winston.format.simple() }), cloud],
});

for (let order = 1; order <= 200; order++) logger.info('order placed', { order, amount: order * 3 });
logger.warn('stock is low', { article: 'blue ink', left: 3 });
logger.error('payment failed', { reason: new Error('card declined') });

logger.once('finish', () => console.log(JSON.stringify(cloud.stats())));
logger.end();
