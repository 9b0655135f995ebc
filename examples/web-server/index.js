// A Fastify server. A worker thread sends its request log to CloudWatch.
import { close, flush, stats } from '@logferry/pino';
import Fastify from 'fastify';
import pino from 'pino';

const transport = pino.transport({
  target: '@logferry/pino/cloudwatch',
  options: { logGroupName: 'logferry-examples', logStreamName: 'web-server/{hostname}/{pid}' },
});
const app = Fastify({ loggerInstance: pino(transport) });

app.get('/', async () => ({ hello: 'world' }));
app.get('/articles/:id', async (request, reply) => {
  const { id } = request.params;
  if (Number(id) % 10 !== 0) return { id, name: `article ${id}` };
  request.log.warn({ id }, 'no such article');
  return reply.code(404).send({ error: 'no such article' });
});

let ending = false;
const shutDown = async () => {
  if (ending) return;
  ending = true;
  await app.close();
  await flush(transport);
  console.log(JSON.stringify(await stats(transport)));
  await close(transport);
};
for (const signal of ['SIGTERM', 'SIGINT']) process.on(signal, shutDown);

console.log(`listening on ${await app.listen({ port: Number(process.env.PORT ?? 0) })}`);
