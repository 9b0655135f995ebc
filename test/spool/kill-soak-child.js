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
      reached: reachedByFlush(transport),
      end: () => closed(transport, () => logger.end()),
    };
  },
  bunyan() {
    const { stream, ...entry } = (isCloudWatch ? cloudWatchStream : logServiceStream)({ ...options, thread });
    const logger = bunyan.createLogger({ name: 'kill', streams: [{ stream, ...entry }] });
    return {
      log: (text) => logger.info(text),
      stats: () => stream.stats(),
      reached: reachedByFlush(stream),
      end: () => stream.close(),
    };
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
      // Its counters are those of the worker.
      reached: () => {},
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

const { log, stats, reached, end } = await starters[host]();
if (recovers) {
  log(`#${round}:recovered#`);
  // Until it is over, or this process is killed, too.
  for (let tries = 0; tries < 3000; tries++) {
    const { recovered, spooled, pending } = await stats();
    say({ recovered, left: spooled + pending });
    if (tries > 2 && spooled === 0 && pending === 0) break;
    await sleep(20);
  }
  const { recovered, spooled, pending, replayed, spool, dropped } = await stats();
  say({ recovered, spooled, pending, replayed, damaged: spool.damaged, dropped });
  await end();
  process.exit();
}
let issued = 0;
let accepted = 0;
for (let turn = 0; ; turn++) {
  const burst = 1 + (issued % 97);
  for (let count = 0; count < burst; count++) log(`#${round}:${issued++}# ${'x'.repeat(issued % 300)}`);
  if (!thread) accepted = issued;
  else if (turn % 8 === 7) void reached(issued);
  const { inFlight, spooled, received } = await stats();
  if (thread && host === 'pino') accepted = received;
  say({ issued, accepted, inFlight, spooled });
  await sleep(1 + (issued % 5));
}

/** Synchronous: what was told is true, whenever the end comes. */
function say(message) {
  writeSync(1, `${JSON.stringify(message)}\n`);
}

/** The worker replies to a flush when it has read, and written to disk, all records before. Without a reply the flush ends later. */
function reachedByFlush(shipper) {
  return async (count) => {
    const startedAt = performance.now();
    await shipper.flush({ timeoutMs: 0 });
    if (performance.now() - startedAt < 450) accepted = Math.max(accepted, count);
  };
}
