// Asks for a worker thread, writes the error as JSON, and ships from its own thread instead.
import { ConfigError } from '@logferry/core';
import { LogServiceTransport } from '@logferry/winston/log-service';
import winston from 'winston';

const { options } = JSON.parse(process.env.PLAN);
let transport;
try {
  transport = new LogServiceTransport({ ...options, thread: true });
} catch (error) {
  process.stderr.write(JSON.stringify({ ...error, isConfigError: ConfigError.is(error), message: error.message }));
  transport = new LogServiceTransport(options);
}
const logger = winston.createLogger({ transports: [transport] });
logger.info('hello');
logger.end();
