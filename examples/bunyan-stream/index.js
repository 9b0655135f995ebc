// bunyan with a CloudWatch stream beside its own.
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

// bunyan itself ends no stream.
await cloud.stream.close();
console.log(JSON.stringify(cloud.stream.stats()));
