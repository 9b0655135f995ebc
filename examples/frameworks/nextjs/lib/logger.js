// The log of the shop goes to CloudWatch Logs, or to Log Service with CLOUD=log-service.
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import winston from 'winston';

const { CLOUD, SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore } = process.env;
const { combine, errors, json } = winston.format;

function createLogger() {
  // Next.js ends the process by process.exit(): a worker thread delivers then, too.
  const cloud =
    CLOUD === 'log-service'
      ? new LogServiceTransport({ endpoint, project, logstore, credentials: 'env', thread: true })
      : new CloudWatchTransport({ logGroupName: 'shop', thread: true });
  const transports = [new winston.transports.Console(), cloud];
  return winston.createLogger({ format: combine(errors({ stack: true }), json()), transports });
}

// Next.js bundles this file with each of its parts. The process has one logger.
globalThis.shopLogger ??= createLogger();

export const logger = globalThis.shopLogger;

export function logStartAndEnd() {
  logger.info('shop opens');
  for (const signal of ['SIGTERM', 'SIGINT']) process.once(signal, () => logger.info('shop closes', { signal }));
}
