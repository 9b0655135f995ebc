// Ships every line of a file as a record: node ship-file.js winston|pino|bunyan FILE
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { stats } from '@logferry/pino';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import bunyan from 'bunyan';
import pino from 'pino';
import winston from 'winston';

/** Lines between two waits for delivery: a file is read faster than anything can be sent. */
const LINES_PER_FLUSH = 20_000;

const [framework = '', file = ''] = process.argv.slice(2);
const options = { logGroupName: 'logferry-examples', logStreamName: `${framework}/{hostname}/{pid}` };
const start = { winston: startWinston, pino: startPino, bunyan: startBunyan }[framework];
const { log, flush, stats: readStats, end } = start();

let lines = 0;
for await (const line of createInterface({ input: createReadStream(file) })) {
  log(line);
  if (++lines % LINES_PER_FLUSH === 0) await flush();
}
await flush();
console.log(JSON.stringify(await readStats()));
await end();

function startWinston() {
  const transport = new CloudWatchTransport(options);
  const logger = winston.createLogger({ transports: [transport] });
  return {
    log: (line) => logger.info(line),
    flush: () => transport.flush(),
    stats: () => transport.stats(),
    end: () => new Promise((resolve) => logger.once('finish', resolve).end()),
  };
}

function startPino() {
  const transport = pino.transport({ target: '@logferry/pino/cloudwatch', options });
  const logger = pino(transport);
  return {
    log: (line) => logger.info(line),
    flush: () => new Promise((resolve) => logger.flush(resolve)),
    stats: () => stats(transport),
    end: () => transport.end(),
  };
}

function startBunyan() {
  const { stream, ...entry } = cloudWatchStream(options);
  const logger = bunyan.createLogger({ name: 'file', streams: [{ ...entry, stream }] });
  return {
    log: (line) => logger.info({}, '%s', line),
    flush: () => stream.flush(),
    stats: () => stream.stats(),
    end: () => stream.close(),
  };
}
