// Ships through a proxy that wants a password: winston by the option, and pino's worker by the environment.
import { once } from 'node:events';
import { startProxy } from '@logferry/emulators';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import pino from 'pino';
import winston from 'winston';

// Where you work there is one already.
const proxy = await startProxy({ credentials: { username: 'shop', password: 'secret' } });

const cloud = new CloudWatchTransport({ logGroupName: 'shop', proxy: proxy.url });
const logger = winston.createLogger({ format: winston.format.json(), transports: [cloud] });
for (let order = 1; order <= 200; order++) logger.info('order placed', { order });
logger.end();
await once(logger, 'finish');

// A local server has http://, a cloud https://.
Object.assign(process.env, { HTTP_PROXY: proxy.url, HTTPS_PROXY: proxy.url });
const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore } = process.env;
const options = { endpoint, project, logstore };
const transport = pino.transport({ target: '@logferry/pino/log-service', options });
const log = pino(transport);
for (let order = 1; order <= 200; order++) log.info({ order }, 'order placed');
await new Promise((resolve) => log.flush(resolve));

console.log(JSON.stringify({ targets: [...new Set(proxy.requests().map(({ target }) => target))].length }));
transport.end();
await once(transport, 'close');
await proxy.close();
