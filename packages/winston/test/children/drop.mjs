// Loses two records and exits in the same turn. With ON_DROP, `onDrop` writes the loss on stdout.
import { writeSync } from 'node:fs';
import { MemoryDestination } from '@logferry/core/testing';
import { DestinationTransport } from '@logferry/winston';
import winston from 'winston';

const onDrop = ({ reason, records }) => writeSync(1, `${JSON.stringify({ reason, records })}\n`);
const transport = new DestinationTransport({
  destination: new MemoryDestination(),
  maxBufferBytes: 1024,
  ...(process.env.ON_DROP && { onDrop }),
});
const logger = winston.createLogger({ transports: transport });
for (let index = 0; index < 2; index++) logger.info('x'.repeat(2000));
process.exit();
