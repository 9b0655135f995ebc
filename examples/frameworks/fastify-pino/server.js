// A shop on Fastify. pino's worker thread sends its log to CloudWatch Logs, or to Log Service with CLOUD=log-service.
import { close } from '@logferry/pino';
import Fastify from 'fastify';
import pino from 'pino';

const { PORT = 3000, CLOUD } = process.env;
const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore } = process.env;
const cloud =
  CLOUD === 'log-service'
    ? { target: '@logferry/pino/log-service', options: { endpoint, project, logstore, credentials: 'env' } }
    : { target: '@logferry/pino/cloudwatch', options: { logGroupName: 'shop' } };
const transport = pino.transport({ targets: [{ target: 'pino/file', options: { destination: 1 } }, cloud] });

// Each request has a child logger, whose records have the id of the request: that of the load balancer, or a number.
const app = Fastify({ loggerInstance: pino(transport), requestIdHeader: 'x-request-id' });

// The probes of a load balancer make no records.
app.get('/health', { logLevel: 'silent' }, async () => ({ healthy: true }));
app.get('/orders/:id', async (request) => {
  const order = Number(request.params.id);
  const log = request.log.child({ order });
  if (order > 1000) throw new Error(`there is no order ${order}`);
  log.info('order read');
  return { order, state: 'shipped' };
});

await app.listen({ port: Number(PORT) });

/** Answers the open requests, then delivers the records. Nothing is left to do then, and the process ends by itself. */
async function shutDown(signal) {
  app.log.info({ signal }, 'shop closes');
  await app.close();
  await close(transport);
}
process.once('SIGTERM', shutDown).once('SIGINT', shutDown);
