// Adds a CloudWatch stream to a bunyan logger that already writes to stderr.
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import bunyan from 'bunyan';

const cloud = cloudWatchStream({
  level: 'debug',
  logGroupName: 'logferry-examples',
  logStreamName: 'bunyan/{hostname}/{pid}',
});

const log = bunyan.createLogger({
  name: 'shop',
  serializers: bunyan.stdSerializers,
  streams: [{ level: 'error', stream: process.stderr }, cloud],
});

const mail = log.child({ component: 'mail' });
for (let letter = 1; letter <= 200; letter++) mail.info({ letter }, 'letter sent');
mail.warn({ queued: 12 }, 'the queue grows');
mail.error({ err: new Error('mailbox full') }, 'letter came back');

// bunyan does not close its streams, so the application does.
await cloud.stream.close();
console.log(JSON.stringify(cloud.stream.stats()));
