// An application that logs through a worker thread, and ends. Its plan is JSON.
import { writeSync } from 'node:fs';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { logServiceStream } from '@logferry/bunyan/log-service';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import bunyan from 'bunyan';
import winston from 'winston';

const { framework, cloud, options, lines, ending, warmUp } = JSON.parse(process.env.PLAN);

let logger;
let shipper;
if (framework === 'winston') {
  const Transport = { cloudwatch: CloudWatchTransport, 'log-service': LogServiceTransport }[cloud];
  shipper = new Transport({ ...options, thread: true });
  logger = winston.createLogger({ transports: [shipper] });
} else {
  const createStream = { cloudwatch: cloudWatchStream, 'log-service': logServiceStream }[cloud];
  const entry = createStream({ ...options, thread: true });
  shipper = entry.stream;
  logger = bunyan.createLogger({ name: 'app', streams: [entry] });
}
process.on('exit', () => writeSync(2, `pending ${shipper.stats().pending}\n`));
if (warmUp) {
  logger.info('warm-up');
  await shipper.flush();
}
for (let i = 0; i < lines; i++) logger.info(`line ${i}`);

switch (ending) {
  case 'process.exit()':
    process.exit(3);
    break;
  case 'an uncaught error':
    throw new Error('boom');
  case 'an unhandled rejection':
    Promise.reject(new Error('boom'));
    break;
  case 'SIGTERM':
    process.kill(process.pid, 'SIGTERM');
    setInterval(() => {}, 60_000);
    break;
  case 'SIGTERM with a handler':
    process.on('SIGTERM', () => process.exit(0));
    process.kill(process.pid, 'SIGTERM');
    setInterval(() => {}, 60_000);
    break;
}
