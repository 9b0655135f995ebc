import { startCloudWatch, startLogService } from '@logferry/emulators';
import fastify from 'fastify';
import pino from 'pino';
import oldestPino from 'pino-9.14.0';
import { pinoHttp } from 'pino-http';
import { expect, it } from 'vitest';
import cloudwatch, { cloudWatchStream } from '../src/cloudwatch.js';
import { close } from '../src/index.js';
import logService, { logServiceStream } from '../src/log-service.js';

const makes: [string, () => Promise<unknown>, string][] = [
  ['cloudwatch', () => cloudwatch({ logGroupName: 'shop', region: 'eu-west-1' }), 'cloudWatchStream'],
  [
    'logService',
    () => logService({ endpoint: 'http://127.0.0.1:1', project: 'shop', logstore: 'orders' }),
    'logServiceStream',
  ],
];

/** The places of a stream, with the promise of one. */
const uses: [string, (stream: never) => unknown][] = [
  ['pino(stream)', (stream) => pino(stream)],
  ['pino(options, stream)', (stream) => pino({}, stream)],
  ['pino(stream) of the oldest version', (stream) => oldestPino(stream)],
  ['pino(options, stream) of the oldest version', (stream) => oldestPino({}, stream)],
  ['pino.multistream([stream])', (stream) => pino.multistream([stream])],
  ['pino.multistream([{ stream }])', (stream) => pino({}, pino.multistream([{ stream }]))],
  ['pinoHttp(stream)', (stream) => pinoHttp(stream)],
  ['pinoHttp(options, stream)', (stream) => pinoHttp({}, stream)],
  ['fastify({ logger: { stream } })', (stream) => fastify({ logger: { stream } })],
];

it.each(makes.flatMap(([name, make, streamName]) => uses.map(([use, act]) => ({ name, make, streamName, use, act }))))(
  'a forgotten await of $name() throws in $use',
  async ({ name, make, streamName, act }) => {
    const promise = make();
    const message = `[logferry] ${name}() returns a promise: await it, or call ${streamName}()`;
    expect(() => act(promise as never)).toThrow(expect.objectContaining({ name: 'ConfigError', message }));
    await close((await promise) as never);
  },
);

it('the streams that need no await ship', async () => {
  const [cloudWatch, cloud] = [await startCloudWatch({ strict: true }), await startLogService({ strict: true })];
  const { url: endpoint, env } = cloudWatch;
  const credentials = { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY };
  const streams = [
    cloudWatchStream({ logGroupName: 'shop', endpoint, region: env.AWS_REGION, credentials }),
    logServiceStream(cloud.target),
  ];
  for (const stream of streams) {
    pino(stream).info({ orderId: 'A-17' }, 'order paid');
    expect(await stream.close()).toMatchObject({ received: 1, delivered: 1 });
  }
  expect(JSON.parse(cloudWatch.events()[0]?.message ?? '')).toMatchObject({ orderId: 'A-17', msg: 'order paid' });
  expect(cloud.events()).toMatchObject([{ fields: { orderId: 'A-17', msg: 'order paid' } }]);
  await Promise.all([cloudWatch.close(), cloud.close()]);
});

it('the streams that need no await refuse wrong options at once', () => {
  expect(() => cloudWatchStream({ logGroupNam: 'shop' } as never)).toThrow('did you mean "logGroupName"?');
  expect(() => logServiceStream({ projct: 'p' } as never)).toThrow('did you mean "project"?');
});
