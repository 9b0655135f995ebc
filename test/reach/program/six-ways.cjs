// The same as six-ways.mjs, as CommonJS, with pino's own call for a worker.
const { cloudWatchStream: bunyanCloudWatch } = require('@logferry/bunyan/cloudwatch');
const { logServiceStream: bunyanLogService } = require('@logferry/bunyan/log-service');
const { cloudWatchStream: pinoCloudWatch } = require('@logferry/pino/cloudwatch');
const { logServiceStream: pinoLogService } = require('@logferry/pino/log-service');
const { CloudWatchTransport } = require('@logferry/winston/cloudwatch');
const { LogServiceTransport } = require('@logferry/winston/log-service');
const bunyan = require('bunyan');
const pino = require('pino');
const winston = require('winston');

const { REACH_MODE: mode, REACH_CLOUDS = 'cloudwatch log-service', REACH_ENDING: ending } = process.env;
const { SLS_ENDPOINT: endpoint, SLS_REGION: region, SLS_PROJECT: project, SLS_LOGSTORE: logstore } = process.env;
const thread = mode === 'thread';

const clouds = {
  cloudwatch: {
    options: { logGroupName: 'reach' },
    Transport: CloudWatchTransport,
    pinoStream: pinoCloudWatch,
    bunyanStream: bunyanCloudWatch,
  },
  'log-service': {
    options: { endpoint, region, project, logstore, credentials: 'env' },
    Transport: LogServiceTransport,
    pinoStream: pinoLogService,
    bunyanStream: bunyanLogService,
  },
};

const loggers = {
  winston: ({ Transport, options }) =>
    winston.createLogger({ transports: [new Transport(thread ? { ...options, thread } : options)] }),
  pino: ({ pinoStream, options }, cloud, failed) => {
    if (!thread) return pino(pinoStream(options));
    return pino(pino.transport({ target: `@logferry/pino/${cloud}`, options }).on('error', failed));
  },
  bunyan: ({ bunyanStream, options }) =>
    bunyan.createLogger({ name: 'reach', streams: [bunyanStream(thread ? { ...options, thread } : options)] }),
};

for (const cloud of REACH_CLOUDS.split(' ')) {
  for (const [framework, createLogger] of Object.entries(loggers)) {
    const way = `${framework} ${cloud} ${mode}`;
    const failed = ({ name, message }) => console.log(JSON.stringify({ way, name, message }));
    try {
      createLogger(clouds[cloud], cloud, failed).info(way);
    } catch (error) {
      failed(error);
    }
  }
}
if (ending === 'exit') process.exit(0);
