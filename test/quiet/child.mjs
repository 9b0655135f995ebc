// An application with four transports. It writes to stdout how often they called back, and their counters.
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { stats } from '@logferry/pino';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import bunyan from 'bunyan';
import pino from 'pino';
import winston from 'winston';

const { cloudwatch, logService, delivery, records, everyMs } = JSON.parse(process.argv[2]);
const called = { onError: 0, onDrop: 0, warn: 0 };
const onError = ({ code }) => {
  called.onError++;
  console.log(code);
};
const callbacks = { onError, onDrop: () => called.onDrop++ };

const inProcess = new CloudWatchTransport({ ...cloudwatch, logStreamName: 'winston', ...delivery, ...callbacks });
const inThread = new LogServiceTransport({ ...logService, ...delivery, thread: true });
for (const transport of [inProcess, inThread]) transport.on('warn', () => called.warn++);
const winstonLogger = winston.createLogger({ transports: [inProcess, inThread] });
const { stream, ...entry } = cloudWatchStream({ ...cloudwatch, logStreamName: 'bunyan', ...delivery });
const bunyanLogger = bunyan.createLogger({ name: 'quiet', streams: [{ stream, ...entry }] });
const target = '@logferry/pino/cloudwatch';
// A worker of pino's keeps no process alive, and nothing else waits for its end.
const waiting = setInterval(() => {}, 1000);
const transport = pino.transport({ target, options: { ...cloudwatch, logStreamName: 'pino', ...delivery } });
await once(transport, 'ready');
const pinoLogger = pino(transport);

for (let n = 0; n < records; n++) {
  for (const logger of [winstonLogger, bunyanLogger, pinoLogger]) logger.info(`record ${n}`);
  if (everyMs > 0) await sleep(everyMs);
}
await Promise.all([inProcess.flush(), inThread.flush(), stream.flush()]);
await new Promise((resolve) => pinoLogger.flush(resolve));
const all = [inProcess.stats(), inThread.stats(), stream.stats(), await stats(transport)];
winstonLogger.end();
await Promise.all([once(winstonLogger, 'finish'), stream.close()]);
transport.end();
await once(transport, 'close');
clearInterval(waiting);
console.log(`\n${JSON.stringify({ called, stats: all.map(({ delivered, retries }) => ({ delivered, retries })) })}`);
