// A shop with a process for each core, by node:cluster or by PM2. Each process has a log stream of its own.
import cluster from 'node:cluster';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { availableParallelism } from 'node:os';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import winston from 'winston';

const { PORT = 3000, CLOUD, WORKERS = availableParallelism() } = process.env;
const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore } = process.env;

/** Starts the workers, and another one in place of each that dies. With PM2 this process is not needed: PM2 does the same. */
function supervise() {
  let isClosing = false;
  for (let started = 0; started < Number(WORKERS); started++) cluster.fork();
  cluster.on('exit', () => isClosing || cluster.fork());
  onSignal(() => {
    isClosing = true;
    for (const worker of Object.values(cluster.workers)) worker.process.kill('SIGTERM');
  });
}

async function serve() {
  const cloud =
    CLOUD === 'log-service'
      ? new LogServiceTransport({ endpoint, project, logstore, credentials: 'env' })
      : new CloudWatchTransport({ logGroupName: 'shop' });
  const logger = winston.createLogger({ transports: [new winston.transports.Console(), cloud] });
  const server = createServer((request, response) => {
    logger.info('order read', { url: request.url });
    response.end(JSON.stringify({ state: 'shipped' }));
  });
  await once(server.listen(PORT), 'listening');
  logger.info('shop opens', { port: server.address().port, pid: process.pid });
  process.send('ready'); // PM2 waits for it: see wait_ready
  onSignal((signal) => {
    logger.info('shop closes', { signal, pid: process.pid });
    server.close(() => logger.end());
    // The records are delivered. The channel to the first process would hold this one.
    logger.once('finish', () => process.exit());
  });
}

/** Ctrl-C signals all processes of a terminal, and the first one passes it on: the second signal changes nothing. */
function onSignal(close) {
  let isClosing = false;
  for (const name of ['SIGTERM', 'SIGINT'])
    process.on(name, (signal) => {
      if (!isClosing) close(signal);
      isClosing = true;
    });
}

if (cluster.isPrimary) supervise();
else await serve();
