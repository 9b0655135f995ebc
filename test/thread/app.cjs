// An application in CommonJS that logs through a thread, and exits in the same turn.
const bunyan = require('bunyan');
const winston = require('winston');
const { cloudWatchStream } = require('@logferry/bunyan/cloudwatch');
const { CloudWatchTransport } = require('@logferry/winston/cloudwatch');

const { options } = JSON.parse(process.env.PLAN);
const transport = new CloudWatchTransport({ ...options, thread: true });
winston.createLogger({ transports: [transport] }).info('winston');
bunyan.createLogger({ name: 'app', streams: [cloudWatchStream({ ...options, thread: true })] }).info('bunyan');
process.exit();
