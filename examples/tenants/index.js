// Ships the records of each tenant to a log stream of its own for each day, and audit records to another stream.
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import winston from 'winston';

const cloud = new CloudWatchTransport({
  logGroupName: 'logferry-examples',
  logStreamName: 'tenants/{field:tenant.id|nobody}/{date:yyyy-MM-dd}',
  // Goes before the template where it names something. With thread: true there is no function, and templates work all the same.
  route: ({ fields }) => (fields.audit ? { logStreamName: 'tenants/audit' } : undefined),
});
const logger = winston.createLogger({ level: 'debug', transports: [cloud] });

const tenants = ['acme', 'globex', 'initech'].map((id) => logger.child({ tenant: { id } }));
for (let order = 1; order <= 200; order++) tenants[order % tenants.length].info('order placed', { order });
logger.warn('nobody has logged this');
tenants[0].info('invoice deleted', { audit: true, invoice: 7 });

logger.once('finish', () => console.log(JSON.stringify(cloud.stats())));
logger.end();
