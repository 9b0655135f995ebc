// Logs, and has nothing else to do: neither flush nor close.
const { cloudWatchStream } = require('@logferry/bunyan/cloudwatch');
const bunyan = require('bunyan');

const entry = cloudWatchStream({ logGroupName: 'shop', closeTimeoutMs: Number(process.env.CLOSE_TIMEOUT_MS) });
const logger = bunyan.createLogger({ name: 'shop', streams: [entry] });
for (let index = 0; index < 10; index++) logger.info(`line ${index}`);
