// The contenders, by name. `start` makes a logger as its documentation says. It returns a function that logs a record, and
// one that ends the logger in the documented way that delivers the last records.
import { once } from 'node:events';
import { Agent, request } from 'node:http';
import { createRequire } from 'node:module';

const peer = createRequire(new URL('peers/package.json', import.meta.url));

/** Loads the AWS SDK before the clock starts, as peers do. Ours loads it with the first batch. */
const preload = ({ target }) => target ?? import('@aws-sdk/client-cloudwatch-logs');

export const contenders = {
  'winston alone': {
    framework: 'winston',
    async start() {
      const { default: winston } = await import('winston');
      const nothing = new winston.Transport({ log: (_info, done) => done() });
      return winstonHost(winston, nothing);
    },
  },
  'winston + logferry': {
    framework: 'winston',
    preload,
    async start({ target }, options) {
      const { default: winston } = await import('winston');
      if (target) {
        const { LogServiceTransport } = await import('@logferry/winston/log-service');
        return winstonHost(winston, new LogServiceTransport({ ...target, ...options }));
      }
      const { CloudWatchTransport } = await import('@logferry/winston/cloudwatch');
      return winstonHost(winston, new CloudWatchTransport({ logGroupName: 'bench', ...options }));
    },
  },
  'winston + winston-cloudwatch': {
    framework: 'winston',
    async start() {
      const winston = peer('winston');
      const WinstonCloudWatch = peer('winston-cloudwatch');
      const MESSAGE = Symbol.for('message');
      const transport = new WinstonCloudWatch({
        logGroupName: 'bench',
        logStreamName: 'bench',
        awsRegion: process.env.AWS_REGION,
        // The line that winston has made, as ours ships it. The peer's own format would be more expensive.
        messageFormatter: (info) => info[MESSAGE],
      });
      const { log } = winstonHost(winston, transport);
      return { log, end: () => new Promise((resolve) => transport.kthxbye(resolve)) };
    },
  },
  'winston + winston-aws-cloudwatch': {
    framework: 'winston',
    async start({ url }) {
      const winston = peer('winston');
      const CloudWatchTransport = peer('winston-aws-cloudwatch');
      const transport = new CloudWatchTransport({
        logGroupName: 'bench',
        logStreamName: 'bench',
        createLogGroup: true,
        createLogStream: true,
        awsConfig: { region: process.env.AWS_REGION, endpoint: url },
      });
      // Its failures are 'error' events, which end a process without a listener.
      return winstonHost(
        winston,
        transport.on('error', () => {}),
      );
    },
  },

  'pino alone': {
    framework: 'pino',
    async start() {
      const { default: pino } = await import('pino');
      return pinoHost(pino, { target: 'pino/file', options: { destination: '/dev/null' } });
    },
  },
  'pino + logferry': {
    framework: 'pino',
    async start({ target }, options) {
      const { default: pino } = await import('pino');
      const settings = target
        ? { target: '@logferry/pino/log-service', options: { ...target, ...options } }
        : { target: '@logferry/pino/cloudwatch', options: { logGroupName: 'bench', ...options } };
      return pinoHost(pino, settings, async (transport) => (await import('@logferry/pino')).flush(transport));
    },
  },
  'pino + @serdnam/pino-cloudwatch-transport': {
    framework: 'pino',
    async start() {
      const target = peer.resolve('@serdnam/pino-cloudwatch-transport');
      const options = { logGroupName: 'bench', logStreamName: 'bench', awsRegion: process.env.AWS_REGION };
      return pinoHost(peer('pino'), { target, options });
    },
  },

  'bunyan alone': {
    framework: 'bunyan',
    async start() {
      const { default: bunyan } = await import('bunyan');
      return bunyanHost(bunyan, { type: 'raw', stream: { write() {} } }, async () => {});
    },
  },
  'bunyan + logferry': {
    framework: 'bunyan',
    preload,
    async start({ target }, options) {
      const { default: bunyan } = await import('bunyan');
      const entry = target
        ? (await import('@logferry/bunyan/log-service')).logServiceStream({ ...target, ...options })
        : (await import('@logferry/bunyan/cloudwatch')).cloudWatchStream({ logGroupName: 'bench', ...options });
      return bunyanHost(bunyan, entry, () => entry.stream.close());
    },
  },
  'bunyan + bunyan-cloudwatch': {
    framework: 'bunyan',
    async start({ url }) {
      const createStream = peer('bunyan-cloudwatch');
      // This SDK does not sign the content type. The service accepts that, but the local server does not.
      const signer = peer('aws-sdk').Signers.V4.prototype;
      signer.unsignableHeaders = signer.unsignableHeaders.filter((name) => name !== 'content-type');
      const stream = createStream({
        logGroupName: 'bench',
        logStreamName: 'bench',
        cloudWatchLogsOptions: { region: process.env.AWS_REGION, endpoint: url },
      });
      let failed = false;
      stream.onError = () => {
        failed = true;
      };
      // It has no method that ends it, and it never sends again after an error.
      const isBusy = () => !failed && (stream.writeQueued || stream.writableLength > 0);
      return bunyanHost(peer('bunyan'), { type: 'raw', stream }, async () => {
        while (isBusy()) await new Promise((resolve) => setTimeout(resolve, 10));
      });
    },
  },

  /** The lowest cost of the same bytes: stringify, escape and post them. */
  floor: {
    framework: 'winston',
    server: 'sink',
    async start({ url }) {
      const agent = new Agent({ keepAlive: true, maxSockets: 4 });
      const responses = [];
      let events = [];
      let bytes = 0;
      const post = () => {
        const headers = { 'content-type': 'application/x-amz-json-1.1', 'x-records': events.length };
        const body = `{"logGroupName":"bench","logStreamName":"bench","logEvents":[${events.join(',')}]}`;
        responses.push(
          new Promise((resolve) => {
            request(url, { method: 'POST', agent, headers }, (response) => response.resume().once('end', resolve)).end(
              body,
            );
          }),
        );
        events = [];
        bytes = 0;
      };
      return {
        warmUp() {
          post();
          return responses[0];
        },
        log(text, fields) {
          const line = JSON.stringify({ ...fields, level: 'info', message: text });
          bytes += Buffer.byteLength(line) + 26;
          events.push(`{"timestamp":${Date.now()},"message":${JSON.stringify(line)}}`);
          if (bytes > 1_048_000) post();
        },
        async end() {
          if (events.length > 0) post();
          await Promise.all(responses);
          agent.destroy();
        },
      };
    },
  },
};

function winstonHost(winston, transport) {
  // The failures of some peers are 'error' events, which end a process without a listener.
  const logger = winston.createLogger({ transports: [transport] }).on('error', () => {});
  return {
    log: (text, fields) => logger.info(text, fields),
    async end() {
      logger.end();
      await once(logger, 'finish');
    },
  };
}

async function pinoHost(pino, settings, flush) {
  const transport = pino.transport(settings);
  await once(transport, 'ready');
  const logger = pino(transport);
  return {
    /** Delivers a record: it has no number, and does not count. */
    async warmUp() {
      logger.info('warm-up');
      await flush(transport);
    },
    log: (text, fields) => logger.info(fields, text),
    async end() {
      transport.end();
      await once(transport, 'close');
    },
  };
}

function bunyanHost(bunyan, entry, end) {
  const logger = bunyan.createLogger({ name: 'bench', streams: [entry] });
  return { log: (text, fields) => logger.info(fields, text), end };
}
