// Logs every line of a file as a record. Usage: node ship-file.js winston|pino|bunyan cloudwatch|log-service FILE
import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { logServiceStream } from '@logferry/bunyan/log-service';
import { close, flush, stats } from '@logferry/pino';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import bunyan from 'bunyan';
import pino from 'pino';
import winston from 'winston';

/** Lines between two flushes. Without flushes, the buffer overflows: reading a file is faster than sending. */
const LINES_PER_FLUSH = 20_000;

const [framework = '', cloud = '', file = ''] = process.argv.slice(2);
const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore } = process.env;
const options = {
  cloudwatch: { logGroupName: 'logferry-examples', logStreamName: `${framework}/{hostname}/{pid}` },
  'log-service': { endpoint, project, logstore, topic: framework },
}[cloud];
const start = { winston: startWinston, pino: startPino, bunyan: startBunyan }[framework];
const shipped = start();

let lines = 0;
for await (const line of createInterface({ input: createReadStream(file) })) {
  shipped.log(line);
  if (++lines % LINES_PER_FLUSH === 0) await shipped.flush();
}
await shipped.flush();
console.log(JSON.stringify(await shipped.stats()));
await shipped.end();

function startWinston() {
  const Transport = { cloudwatch: CloudWatchTransport, 'log-service': LogServiceTransport }[cloud];
  const transport = new Transport(options);
  const logger = winston.createLogger({ transports: [transport] });
  return {
    log: (line) => logger.info(line),
    flush: () => transport.flush(),
    stats: () => transport.stats(),
    end: () => new Promise((resolve) => logger.once('finish', resolve).end()),
  };
}

function startPino() {
  const transport = pino.transport({ target: `@logferry/pino/${cloud}`, options });
  const logger = pino(transport);
  return {
    log: (line) => logger.info(line),
    flush: () => flush(transport),
    stats: () => stats(transport),
    end: () => close(transport),
  };
}

function startBunyan() {
  const createStream = { cloudwatch: cloudWatchStream, 'log-service': logServiceStream }[cloud];
  const { stream, ...entry } = createStream(options);
  const logger = bunyan.createLogger({ name: 'file', streams: [{ ...entry, stream }] });
  return {
    log: (line) => logger.info({}, '%s', line),
    flush: () => stream.flush(),
    stats: () => stream.stats(),
    end: () => stream.close(),
  };
}
