// A Lambda function that logs with winston. Its process is frozen after each response: withFlush() delivers the logs before.
import { withFlush } from '@logferry/winston';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import winston from 'winston';

export const cloud = new CloudWatchTransport({
  logGroupName: 'logferry-examples',
  logStreamName: 'lambda/{hostname}/{pid}',
});
const logger = winston.createLogger({ defaultMeta: { service: 'mail' }, transports: [cloud] });

export const handler = withFlush(async (event, context) => {
  const log = logger.child({ requestId: context.awsRequestId });
  for (const letter of event.letters) log.info('letter sent', { letter });
  if (event.queued > 0) log.warn('the queue grows', { queued: event.queued });
  if (event.fails) throw new Error('mailbox full');
  return { sent: event.letters.length };
}, cloud);
