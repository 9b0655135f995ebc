// A pino pipeline in a worker thread: a custom stage hides card numbers, and the next stage ships to CloudWatch.
import { Transform } from 'node:stream';
import { isMainThread } from 'node:worker_threads';
import { close, flush, stats } from '@logferry/pino';
import pino from 'pino';
import build from 'pino-abstract-transport';

/** The custom stage. pino loads this file in the worker and calls its default export. */
export default function hideCards() {
  const transform = (record, _encoding, callback) => {
    if (record.card) record.card = '[hidden]';
    callback(null, `${JSON.stringify(record)}\n`);
  };
  return build((source) => source.pipe(new Transform({ objectMode: true, transform })), { enablePipelining: true });
}

if (isMainThread) {
  const options = { logGroupName: 'logferry-examples', logStreamName: 'pino/{hostname}/{pid}' };
  const transport = pino.transport({
    pipeline: [{ target: import.meta.url }, { target: '@logferry/pino/cloudwatch', options }],
  });
  const logger = pino({ level: 'debug' }, transport);

  for (let visit = 1; visit <= 200; visit++) logger.info({ visit, card: '4111 1111 1111 1111' }, 'visitor paid');
  logger.warn({ left: 3 }, 'stock is low');
  logger.error(new Error('card declined'), 'payment failed');

  await flush(transport);
  console.log(JSON.stringify(await stats(transport)));
  await close(transport);
}
