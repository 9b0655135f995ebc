// Logs, waits for the stream to close and exits.
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import bunyan from 'bunyan';

const entry = cloudWatchStream({ logGroupName: 'shop' });
const logger = bunyan.createLogger({ name: 'shop', streams: [entry] });
for (let index = 0; index < 1000; index++) logger.info(`line ${index}`);
await entry.stream.close();
process.exit();
