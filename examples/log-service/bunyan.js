// Sends a bunyan log to Alibaba Cloud Log Service.
import { logServiceStream } from '@logferry/bunyan/log-service';
import bunyan from 'bunyan';

const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore } = process.env;
const cloud = logServiceStream({ endpoint, project, logstore, topic: 'bunyan', tags: { env: 'example' } });
const log = bunyan.createLogger({ name: 'shop', serializers: bunyan.stdSerializers, streams: [cloud] });

for (let letter = 1; letter <= 200; letter++) log.info({ letter }, 'letter sent');
log.warn({ queued: 12 }, 'the queue grows');
log.error({ err: new Error('mailbox full') }, 'letter came back');

await cloud.stream.close();
console.log(JSON.stringify(cloud.stream.stats()));
