// Logs, and has nothing else to do: neither flush nor end.
const { CloudWatchTransport } = require('@logferry/winston/cloudwatch');
const winston = require('winston');

const transport = new CloudWatchTransport({
  logGroupName: 'shop',
  closeTimeoutMs: Number(process.env.CLOSE_TIMEOUT_MS),
});
const logger = winston.createLogger({ transports: [transport] });
for (let index = 0; index < 10; index++) logger.info(`line ${index}`);
