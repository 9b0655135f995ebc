// A shop on Koa. bunyan sends its log to CloudWatch Logs, or to Log Service with CLOUD=log-service.
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { logServiceStream } from '@logferry/bunyan/log-service';
import bunyan from 'bunyan';
import Koa from 'koa';

const { PORT = 3000, CLOUD } = process.env;
const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore } = process.env;
const cloud =
  CLOUD === 'log-service'
    ? logServiceStream({ endpoint, project, logstore, credentials: 'env' })
    : cloudWatchStream({ logGroupName: 'shop' });
const logger = bunyan.createLogger({
  name: 'shop',
  serializers: bunyan.stdSerializers,
  streams: [{ stream: process.stdout }, cloud],
});

const app = new Koa();
app.use(async (context, next) => {
  // The probes of a load balancer make no records.
  if (context.path === '/health') {
    context.body = { healthy: true, pendingRecords: cloud.stream.stats().pending };
    return;
  }
  context.log = logger.child({ requestId: context.get('x-request-id') || randomUUID() });
  const start = performance.now();
  context.res.once('finish', () => {
    const { method, url, status } = context;
    context.log.info({ method, url, status, durationMs: Math.round(performance.now() - start) }, 'request completed');
  });
  await next();
});
app.use((context) => {
  const [, order] = /^\/orders\/(\d+)$/.exec(context.path) ?? context.throw(404);
  if (Number(order) > 1000) throw new Error(`there is no order ${order}`);
  context.log.info({ order: Number(order) }, 'order read');
  context.body = { order: Number(order), state: 'shipped' };
});
app.on('error', (error, context) => error.expose || (context?.log ?? logger).error(error)); // a 404 is no fault of the shop

const server = app.listen(PORT);
await once(server, 'listening');
logger.info({ port: server.address().port }, 'shop opens');

/** Answers the open requests, then delivers the records. Nothing is left to do then, and the process ends by itself. */
function shutDown(signal) {
  logger.info({ signal }, 'shop closes');
  server.close(() => cloud.stream.close());
}
process.once('SIGTERM', shutDown).once('SIGINT', shutDown);
