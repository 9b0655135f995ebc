import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { createCloudWatch } from '@logferry/cloudwatch';
import { assertBalanced, createShipper, type Destination } from '@logferry/core';
import { startCloudWatch, startLogService } from '@logferry/emulators';
import { createLogService } from '@logferry/log-service';
import { expect, it, onTestFinished } from 'vitest';
import { shipTo } from './support/clouds.js';

const REQUEST_TIMEOUT_MS = 400;
const BYTES_PER_SECOND = 1_000_000;
const TICK_MS = 10;
const RECORDS = 600;

/** Relays to a port of this machine, so many bytes a second in all, whatever the number of connections. */
async function startUplink(port: number): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1');
    upstream.pipe(client);
    upstream.once('close', () => client.destroy());
    client.once('close', () => upstream.destroy());
    for (const socket of [client, upstream]) socket.on('error', () => {});
    sockets.add(client);
    let budget = 0;
    const timer = setInterval(() => {
      budget = (BYTES_PER_SECOND / 1000) * (TICK_MS / sockets.size);
      const chunk = client.read(Math.min(budget, client.readableLength));
      if (chunk) upstream.write(chunk);
    }, TICK_MS);
    client.once('close', () => {
      sockets.delete(client);
      clearInterval(timer);
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** 2.5 kB of text that no compression makes much smaller. */
const texts = Array.from({ length: RECORDS }, (_, index) => {
  const digits = Array.from({ length: 240 }, (__, place) =>
    Math.sin(index * 240 + place)
      .toString(36)
      .slice(3, 13),
  );
  return `#${index}#${digits.join('')}`;
});

async function deliver(destination: Destination): Promise<void> {
  const onError = (): void => {};
  const shipper = createShipper(destination, { requestTimeoutMs: REQUEST_TIMEOUT_MS, retry: { baseMs: 20 }, onError });
  for (const text of texts)
    shipper.accept({ time: Date.now(), level: 'info', urgent: false, text, fields: { message: text } });
  await shipper.flush({ timeoutMs: 20_000 });
  const stats = shipper.stats();
  assertBalanced(stats);
  expect(stats).toMatchObject({ delivered: RECORDS, pending: 0 });
  await shipper.close();
}

// 1.5 MB take 1.5 s, and a full batch of CloudWatch Logs 1 s: more than the time of an attempt.
it('delivers to CloudWatch over a network that is too slow for a batch in requestTimeoutMs', async () => {
  const cloud = await startCloudWatch({ strict: true });
  onTestFinished(() => cloud.close());
  const endpoint = await startUplink(Number(new URL(cloud.url).port));
  await deliver(createCloudWatch({ ...shipTo(cloud), endpoint }));
  expect(new Set(cloud.events().map(({ message }) => message)).size).toBe(RECORDS);
});

it('delivers to Log Service over a network that is too slow for a batch in requestTimeoutMs', async () => {
  const cloud = await startLogService({ strict: true });
  onTestFinished(() => cloud.close());
  const endpoint = await startUplink(Number(new URL(cloud.url).port));
  await deliver(createLogService({ ...cloud.target, endpoint }));
  expect(new Set(cloud.events().map(({ fields }) => fields.message)).size).toBe(RECORDS);
});
