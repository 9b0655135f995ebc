// A shop in a container. Its log goes to CloudWatch Logs, or to Log Service with CLOUD=log-service. What the container leaves when it
// is killed is on a volume, and the next container delivers it.
import { once } from 'node:events';
import { createServer } from 'node:http';
import { cloudWatchStream } from '@logferry/pino/cloudwatch';
import { logServiceStream } from '@logferry/pino/log-service';
import pino from 'pino';

const { PORT = 3000, CLOUD, SPOOL_DIRECTORY: directory } = process.env;
const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore } = process.env;
const delivery = { closeTimeoutMs: 8000, ...(directory && { spool: { directory } }) };
const cloud =
  CLOUD === 'log-service'
    ? logServiceStream({ endpoint, project, logstore, credentials: 'env', ...delivery })
    : cloudWatchStream({ logGroupName: 'shop', ...delivery });
// The first argument has to be there: pino takes a multistream that stands alone for options, and writes to stdout only.
const logger = pino({}, pino.multistream([{ stream: process.stdout }, { stream: cloud }]));

const server = createServer((request, response) => {
  // The probes of Docker and Kubernetes make no records.
  if (request.url !== '/health') logger.info({ url: request.url }, 'order read');
  response.end(JSON.stringify({ healthy: true, pendingRecords: cloud.stats().pending }));
});
await once(server.listen(PORT), 'listening');
logger.info({ port: server.address().port }, 'shop opens');

// The first process of a container has no default for signals: without a listener SIGTERM would do nothing, and SIGKILL come after it.
// Nothing is left to do after this, and the process ends by itself.
function shutDown(signal) {
  logger.info({ signal }, 'shop closes');
  server.close(() => cloud.close());
}
process.once('SIGTERM', shutDown).once('SIGINT', shutDown);
