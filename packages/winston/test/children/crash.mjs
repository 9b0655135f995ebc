// Crashes in the way of CRASH, and writes on stdout how many milliseconds passed from the crash to the exit.
import { writeSync } from 'node:fs';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';

const { CRASH, PLACE = 'transports', WINSTON = 'winston', EXIT_ON_ERROR, WARM_UP } = process.env;
const { default: winston } = await import(WINSTON);
const handles = PLACE === 'transports';
const transport = new CloudWatchTransport({
  logGroupName: 'shop',
  maxDelayMs: 600_000,
  handleExceptions: handles,
  handleRejections: handles,
});
const places = {
  transports: { transports: [transport] },
  exceptionHandlers: { exceptionHandlers: [transport] },
  both: { transports: [transport], exceptionHandlers: [transport] },
};
const exitOnError = EXIT_ON_ERROR === 'function' ? () => true : true;
const logger = winston.createLogger({ exitOnError, ...places[PLACE] });
if (WARM_UP) {
  transport.log({ level: 'info', message: 'warm-up' });
  await transport.flush();
}

const crashedMs = performance.now();
process.on('exit', () => writeSync(1, `${performance.now() - crashedMs}`));
setInterval(() => {}, 60_000);
if (PLACE !== 'exceptionHandlers') logger.info('before');
if (CRASH === 'rejection') Promise.reject(new Error('broken'));
else throw new Error('broken');
