// Logs, ends the logger and exits as soon as it says 'finish': winston's documented way to wait.
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import winston from 'winston';

const logger = winston.createLogger({ transports: [new CloudWatchTransport({ logGroupName: 'shop' })] });
for (let index = 0; index < 1000; index++) logger.info(`line ${index}`);
logger.on('finish', () => process.exit());
logger.end();
