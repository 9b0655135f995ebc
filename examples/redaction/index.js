// Ships a request log without secrets, without health checks, and without debug records.
import { close, flush, stats } from '@logferry/pino';
import pino from 'pino';

const options = {
  logGroupName: 'shop',
  logStreamName: 'redaction/{hostname}/{pid}',
  redact: ['password', 'req.headers.authorization', '*.token'],
  sample: { debug: 0 },
  hooks: new URL('hooks.js', import.meta.url).href,
};
const transport = pino.transport({ target: '@logferry/pino/cloudwatch', options });
const logger = pino({ level: 'debug' }, transport);

const headers = { host: 'shop.example', authorization: 'Bearer secret' };
for (let visit = 1; visit <= 100; visit++) {
  logger.info({ path: '/orders', visit, req: { headers }, user: { id: 7, token: 'secret' } }, 'request');
  logger.info({ path: '/health' }, 'request');
  logger.debug({ visit, password: 'secret' }, 'looked up the user');
}

await flush(transport);
console.log(JSON.stringify(await stats(transport)));
await close(transport);
