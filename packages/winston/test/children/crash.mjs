// Crashes in the way of CRASH, and writes on stdout how many milliseconds passed from the crash to the exit.
import { writeSync } from 'node:fs';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import winston from 'winston';

const { CRASH } = process.env;
const inHandlers = CRASH === 'exception in exceptionHandlers';
const transport = new CloudWatchTransport({
  logGroupName: 'shop',
  maxDelayMs: 600_000,
  handleExceptions: true,
  handleRejections: true,
});
const logger = winston.createLogger(inHandlers ? { exceptionHandlers: [transport] } : { transports: [transport] });
if (CRASH !== 'exception without a response') {
  transport.log({ level: 'info', message: 'warm-up' });
  await transport.flush();
}

const crashedMs = performance.now();
process.on('exit', () => writeSync(1, `${performance.now() - crashedMs}`));
setInterval(() => {}, 60_000);
if (!inHandlers) logger.info('before');
if (CRASH === 'rejection') Promise.reject(new Error('broken'));
else throw new Error('broken');
