// An application that logs with a journal until it is killed, or delivers what a killed one left.
import { writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { logServiceStream } from '@logferry/bunyan/log-service';
import { stats as statsOfWorker } from '@logferry/pino';
import pinoCloudWatch from '@logferry/pino/cloudwatch';
import pinoLogService from '@logferry/pino/log-service';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import bunyan from 'bunyan';
import pino from 'pino';
import winston from 'winston';

const { host, thread, cloud, round, recovers, options } = JSON.parse(process.argv[2]);
const isCloudWatch = cloud === 'cloudwatch';

const starters = {
  winston() {
    const Transport = isCloudWatch ? CloudWatchTransport : LogServiceTransport;
    const transport = new Transport({ ...options, thread });
    const logger = winston.createLogger({ transports: [transport] });
    return {
      log: (text) => logger.info(text),
      stats: () => transport.stats(),
      end: () => closed(transport, () => logger.end()),
    };
  },
  bunyan() {
    const { stream, ...entry } = (isCloudWatch ? cloudWatchStream : logServiceStream)({ ...options, thread });
    const logger = bunyan.createLogger({ name: 'kill', streams: [{ stream, ...entry }] });
    return { log: (text) => logger.info(text), stats: () => stream.stats(), end: () => stream.close() };
  },
  async pino() {
    if (!thread) {
      const stream = await (isCloudWatch ? pinoCloudWatch : pinoLogService)(options);
      const logger = pino(stream);
      return { log: (text) => logger.info(text), stats: () => stream.stats(), end: () => stream.close() };
    }
    const transport = pino.transport({ target: `@logferry/pino/${cloud}`, options });
    const logger = pino(transport);
    return {
      log: (text) => logger.info(text),
      stats: () => statsOfWorker(transport),
      end: () => closed(transport, () => transport.end(), 'close'),
    };
  },
};

function closed(emitter, end, event = 'finish') {
  return new Promise((resolve) => {
    emitter.once(event, resolve);
    end();
  });
}

const { log, stats, end } = await starters[host]();
if (recovers) {
  log(`#${round}:recovered#`);
  for (let tries = 0; tries < 600; tries++) {
    const { spooled, pending } = await stats();
    if (tries > 2 && spooled === 0 && pending === 0) break;
    await sleep(20);
  }
  const { recovered, spooled, pending, replayed, spool, dropped } = await stats();
  writeSync(1, JSON.stringify({ recovered, spooled, pending, replayed, damaged: spool.damaged, dropped }));
  await end();
  process.exit();
}
let issued = 0;
for (;;) {
  const burst = 1 + (issued % 97);
  for (let count = 0; count < burst; count++) log(`#${round}:${issued++}# ${'x'.repeat(issued % 300)}`);
  // Synchronous: what was told is true, whenever the end comes.
  writeSync(1, `${issued}\n`);
  await sleep(1 + (issued % 5));
}
