import { startCloudWatch, startLogService } from '@logferry/emulators';
import { close } from '@logferry/pino';
import pino from 'pino';
import { expect, test } from 'vitest';

test('pino’s worker thread logs to CloudWatch Logs', async () => {
  const server = await startCloudWatch();
  const options = { logGroupName: 'shop', ...server.target };
  const transport = pino.transport({ target: '@logferry/pino/cloudwatch', options });
  pino(transport).info({ order: 7 }, 'order placed');
  await close(transport);
  const [{ message }] = server.events();
  expect(JSON.parse(message)).toMatchObject({ msg: 'order placed', order: 7 });
  await server.close();
});

test('and to Log Service, by signed requests', async () => {
  const server = await startLogService();
  const transport = pino.transport({ target: '@logferry/pino/log-service', options: server.signedTarget });
  pino(transport).info({ order: 7 }, 'order placed');
  await close(transport);
  const [{ fields }] = server.events();
  expect(fields).toMatchObject({ msg: 'order placed', order: '7' });
  await server.close();
});
