// Logs one record through each of the six ways: a framework to a cloud. Its text is `pino log-service process`. The environment
// says where the clouds are, and:
// REACH_MODE     `process` or `thread`
// REACH_CLOUDS   names of clouds, else both
// REACH_ENDING   `exit` calls `process.exit()` after the last record, else the process ends by itself
// A way that is refused, or fails, is a line of JSON on stdout.
import { cloudWatchStream as bunyanCloudWatch } from '@logferry/bunyan/cloudwatch';
import { logServiceStream as bunyanLogService } from '@logferry/bunyan/log-service';
import { transport } from '@logferry/pino';
import { cloudWatchStream as pinoCloudWatch } from '@logferry/pino/cloudwatch';
import { logServiceStream as pinoLogService } from '@logferry/pino/log-service';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import bunyan from 'bunyan';
import pino from 'pino';
import winston from 'winston';

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
    return pino(transport({ target: `@logferry/pino/${cloud}`, options }).on('error', failed));
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
