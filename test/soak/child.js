// An application that logs 5,000 records a second, and reports its memory each second.
import { setTimeout as sleep } from 'node:timers/promises';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import bunyan from 'bunyan';
import winston from 'winston';

const RECORDS_PER_SECOND = 5000;
const TICK_MS = 10;
const SAMPLE_MS = 1000;
/** Makes records of about 230 bytes, with the fields of the frameworks. */
const PADDING = 'x'.repeat(190);
/** A byte for each record of an hour. It is allocated at once, so that it does not count as growth. */
const lost = new Uint8Array(3600 * RECORDS_PER_SECOND).fill(0);
/** Lost records without an event: a drop has events for 1 MiB, and one drop may have the losses of a second. */
let unnamed = 0;
let told = 0;

const starters = {
  winston(options) {
    const transport = new CloudWatchTransport(options);
    const logger = winston.createLogger({ transports: [transport] });
    return { shipper: transport, log: (text) => logger.info(text) };
  },
  bunyan(options) {
    const entry = cloudWatchStream(options);
    const logger = bunyan.createLogger({ name: 'soak', streams: [entry] });
    return { shipper: entry.stream, log: (text) => logger.info(text) };
  },
};

const { framework, options } = JSON.parse(process.argv[2]);
const { shipper, log } = starters[framework]({
  ...options,
  onDrop({ records, events }) {
    told += records;
    unnamed += records - events.length;
    for (const { payload } of events) lost[/#(\d+)#/.exec(payload)[1]]++;
  },
  onError() {},
});

const startMs = performance.now();
let issued = 0;
const ticker = setInterval(() => {
  const due = ((performance.now() - startMs) / 1000) * RECORDS_PER_SECOND;
  for (let count = 0; count < 1000 && issued < due; count++) log(`#${issued++}# ${PADDING}`);
}, TICK_MS);
const sampler = setInterval(() => process.send(sample()), SAMPLE_MS);

// The service is back: delivers the kept records.
process.once('message', async () => {
  clearInterval(ticker);
  clearInterval(sampler);
  await shipper.flush();
  // The losses of the last second are told together, after it.
  while (told < countLost(shipper.stats())) await sleep(TICK_MS);
  process.send({ issued, unnamed, lost: lost.subarray(0, issued), stats: shipper.stats() }, () => process.disconnect());
});

function sample() {
  const { rss, heapUsed } = process.memoryUsage();
  const { received, pending, dropped } = shipper.stats();
  const seconds = (performance.now() - startMs) / 1000;
  return { seconds, rss, heapUsed, received, pending, dropped: dropped['buffer-full'] };
}

function countLost({ dropped }) {
  return Object.values(dropped).reduce((sum, records) => sum + records, 0);
}
