// Sends a winston log to Alibaba Cloud Log Service. The service stores fields, so no JSON format is needed.
import { LogServiceTransport } from '@logferry/winston/log-service';
import winston from 'winston';

const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore } = process.env;
const cloud = new LogServiceTransport({ endpoint, project, logstore, topic: 'winston', tags: { env: 'example' } });
const logger = winston.createLogger({
  defaultMeta: { service: 'shop' },
  transports: [new winston.transports.Console({ level: 'warn', format: winston.format.simple() }), cloud],
});

for (let order = 1; order <= 200; order++) logger.info('order placed', { order, amount: order * 3 });
logger.warn('stock is low', { article: 'blue ink', left: 3 });
logger.error('payment failed', { reason: new Error('card declined') });

logger.once('finish', () => console.log(JSON.stringify(cloud.stats())));
logger.end();
