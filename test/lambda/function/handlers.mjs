// The function of `npm run lambda`, for the real runtime client: handlers of each kind, wrapped, which log by all frameworks.
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { withFlush } from '@logferry/pino';
import { logServiceStream } from '@logferry/pino/log-service';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import bunyan from 'bunyan';
import pino from 'pino';
import winston from 'winston';

const { cloudWatch, logService } = JSON.parse(process.env.LOGFERRY_TEST_OPTIONS);
// Long enough that no record is sent without a flush.
const delivery = { maxDelayMs: 600_000 };

const transport = new CloudWatchTransport({ ...cloudWatch, ...delivery });
const entry = cloudWatchStream({ ...cloudWatch, ...delivery });
const stream = logServiceStream({ ...logService, ...delivery });
const worker = pino.transport({ target: '@logferry/pino/log-service', options: { ...logService, ...delivery } });
const loggers = [
  winston.createLogger({ transports: [transport] }),
  bunyan.createLogger({ name: 'lambda', streams: [entry] }),
  pino(stream),
  pino(worker),
];

const log = ({ id }) => {
  for (const logger of loggers) logger.info(`#${id}#`);
};
const wrapped = (handler) => withFlush(handler, transport, entry.stream, stream, worker);
const { streamifyResponse } = globalThis.awslambda;

export const asynchronous = wrapped(async (event, _context) => {
  await null;
  log(event);
  return { id: event.id };
});

export const returning = wrapped((event) => {
  log(event);
  return { id: event.id };
});

export const rejecting = wrapped(async (event) => {
  log(event);
  throw new TypeError(`broken ${event.id}`);
});

export const throwing = wrapped((event) => {
  log(event);
  throw new TypeError(`broken ${event.id}`);
});

const respond = async (event, responseStream, _context) => {
  log(event);
  responseStream.write(`"part`);
  responseStream.end(` of ${event.id}"`);
};

export const streaming = streamifyResponse(wrapped(respond));

export const streamingInside = wrapped(
  streamifyResponse(async (...args) => {
    await respond(...args);
  }),
);

export const streamingBroken = streamifyResponse(
  wrapped(async (event, _responseStream, _context) => {
    log(event);
    throw new TypeError(`broken ${event.id}`);
  }),
);

export const callingBack = wrapped((event, _context, callback) => {
  setTimeout(() => {
    log(event);
    callback(null, { id: event.id });
  }, 5);
});

/** The response does not wait for what the handler leaves behind. */
export const callingBackAtOnce = wrapped((event, context, callback) => {
  context.callbackWaitsForEmptyEventLoop = false;
  setInterval(() => {}, 60_000);
  log(event);
  callback(null, { id: event.id });
});

export const callingBackWithError = wrapped((event, _context, callback) => {
  log(event);
  callback(new TypeError(`broken ${event.id}`));
});

export const succeeding = wrapped((event, context) => {
  setTimeout(() => {
    log(event);
    context.succeed({ id: event.id });
  }, 5);
});

/** Its response is null once there is nothing left to wait for. */
export const forgetful = wrapped((event, _context, _callback) => log(event));

/** Its response is null, as it is without a wrapper. */
export const neverResolving = wrapped(async (event) => {
  log(event);
  await new Promise(() => {});
});

export const callingBackUnwrapped = (event, _context, callback) => callback(null, event);
