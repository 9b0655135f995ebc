// An application whose requests are refused. It writes to stdout all that a program can see of a transport, and of its errors.
import { once } from 'node:events';
import { inspect } from 'node:util';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { logServiceStream } from '@logferry/bunyan/log-service';
import { close, stats } from '@logferry/pino';
import cloudWatchTarget from '@logferry/pino/cloudwatch';
import logServiceTarget from '@logferry/pino/log-service';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import bunyan from 'bunyan';
import pino from 'pino';
import winston from 'winston';

const { host, cloud, options } = JSON.parse(process.argv[2]);
const isCloudWatch = cloud === 'cloudwatch';
const show = (value) =>
  console.log(inspect(value, { depth: 30, showHidden: true, getters: true, maxArrayLength: null }));
// Functions cannot go to a thread.
const told = options.thread ? {} : { onError: show, onDrop: show };

const hosts = {
  async winston() {
    const Transport = isCloudWatch ? CloudWatchTransport : LogServiceTransport;
    const transport = new Transport({ ...options, ...told });
    transport.on('warn', show);
    const logger = winston.createLogger({ transports: [transport] });
    const end = async () => {
      logger.end();
      await once(logger, 'finish');
    };
    return { visible: [transport, logger], log: () => logger.info('a record'), stats: () => transport.stats(), end };
  },
  async bunyan() {
    const entry = (isCloudWatch ? cloudWatchStream : logServiceStream)({ ...options, ...told });
    const logger = bunyan.createLogger({ name: 'secrets', streams: [entry] });
    const { stream } = entry;
    return {
      visible: [entry, logger],
      log: () => logger.info('a record'),
      stats: () => stream.stats(),
      end: () => stream.close(),
    };
  },
  async pino() {
    const stream = await (isCloudWatch ? cloudWatchTarget : logServiceTarget)({ ...options, ...told });
    const logger = pino(stream);
    return {
      visible: [stream, logger],
      log: () => logger.info('a record'),
      stats: () => stream.stats(),
      end: () => stream.close(),
    };
  },
  async 'pino in a worker'() {
    const transport = pino.transport({ target: `@logferry/pino/${cloud}`, options });
    const logger = pino(transport);
    return {
      visible: [transport, logger],
      log: () => logger.info('a record'),
      stats: () => stats(transport),
      // A wait for pino's own 'close' at the top level can end the process with exit code 13.
      end: () => close(transport),
    };
  },
};

const running = await hosts[host]();
for (let count = 0; count < 20; count++) running.log();
show(running.visible);
show(await running.stats());
await running.end();
show(running.visible);
