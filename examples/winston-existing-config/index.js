// Adds a transport to a winston configuration that already has Console and File.
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import winston from 'winston';

const cloud = new CloudWatchTransport({
  logGroupName: 'logferry-examples',
  logStreamName: 'winston/{hostname}/{pid}',
});

const logger = winston.createLogger({
  level: 'debug',
  format: winston.format.combine(
    winston.format.timestamp(),
    winston.format.errors({ stack: true }),
    winston.format.json(),
  ),
  defaultMeta: { service: 'shop' },
  transports: [
    new winston.transports.Console({ level: 'warn', format: winston.format.simple() }),
    new winston.transports.File({ filename: 'shop.log' }),
    cloud,
  ],
});

const orders = logger.child({ component: 'orders' });
for (let order = 1; order <= 200; order++) orders.info('order placed', { order, amount: order * 3 });
orders.warn('stock is low', { article: 'blue ink', left: 3 });
orders.error('payment failed', new Error('card declined'));

// end() delivers the remaining records and then emits 'finish'.
logger.once('finish', () => console.log(JSON.stringify(cloud.stats())));
logger.end();
