import { once } from 'node:events';
import { startLogService } from '@logferry/emulators';
import { close, transport } from '@logferry/pino';
import pino from 'pino';
import { expect, it, onTestFinished } from 'vitest';

it('transport() starts the worker of pino with our target, which it finds from here', async () => {
  const service = await startLogService({ strict: true });
  onTestFinished(() => service.close());
  const worker = transport({ target: '@logferry/pino/log-service', options: service.target });
  await once(worker, 'ready');
  pino(worker).info('by the worker');
  expect(await close(worker)).toMatchObject({ delivered: 1 });
  expect(service.events()).toMatchObject([{ fields: { msg: 'by the worker' } }]);
});
