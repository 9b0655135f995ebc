// The application, which Node.js also preloads (--import) into the process and each of its workers. It runs once in each.
import { writeSync } from 'node:fs';
import { threadId } from 'node:worker_threads';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import winston from 'winston';

const { options } = JSON.parse(process.env.PLAN);
const transport = new CloudWatchTransport({ ...options, thread: true });
winston.createLogger({ transports: [transport] }).info('hello');
writeSync(2, `started in thread ${threadId}\n`);
if (threadId === 0) await transport.flush();
