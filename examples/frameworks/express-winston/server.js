// A shop on Express. winston and morgan send its log to CloudWatch Logs, or to Log Service with CLOUD=log-service.
import { once } from 'node:events';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import express from 'express';
import morgan from 'morgan';
import winston from 'winston';

const { PORT = 3000, CLOUD } = process.env;
const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore } = process.env;
const cloud =
  CLOUD === 'log-service'
    ? new LogServiceTransport({ endpoint, project, logstore, credentials: 'env' })
    : new CloudWatchTransport({ logGroupName: 'shop' });
const { combine, errors, json } = winston.format;
const logger = winston.createLogger({
  format: combine(errors({ stack: true }), json()),
  transports: [new winston.transports.Console(), cloud],
});

const app = express();
// The health of the shop stands before morgan: the probes of a load balancer make no records.
app.get('/health', (_request, response) => response.json({ healthy: true, pendingRecords: cloud.stats().pending }));
// morgan calls this when a response has ended. It returns no line: winston has the record already.
app.use(
  morgan(({ method, url, status, 'response-time': time }, ...call) => {
    const request = { method: method(...call), url: url(...call), status: Number(status(...call)) };
    const level = request.status >= 500 ? 'error' : 'info';
    logger.log(level, 'request completed', { ...request, durationMs: Number(time(...call)) });
  }),
);
app.get('/orders/:id', (request, response) => {
  const order = Number(request.params.id);
  if (order > 1000) throw new Error(`there is no order ${order}`);
  logger.info('order read', { order });
  response.json({ order, state: 'shipped' });
});
app.use((error, _request, response, next) => {
  logger.error(error);
  if (response.headersSent) return next(error);
  response.status(500).json({ error: 'the shop has a fault' });
});

const server = app.listen(PORT);
await once(server, 'listening');
logger.info('shop opens', { port: server.address().port });

/** Answers the open requests, then delivers the records. Nothing is left to do then, and the process ends by itself. */
function shutDown(signal) {
  logger.info('shop closes', { signal });
  server.close(() => logger.end());
}
process.once('SIGTERM', shutDown).once('SIGINT', shutDown);
