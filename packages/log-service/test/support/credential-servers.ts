import { once } from 'node:events';
import http from 'node:http';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { onTestFinished, vi } from 'vitest';
import type { AccessKey } from '../../src/signed/access-key.js';
import { type CannedResponse, type ReceivedRequest, startServer } from './servers.js';

/** A key as servers of Alibaba Cloud give it. */
export function keyResponse(key: AccessKey, lifeMs = 3_600_000): CannedResponse {
  const { accessKeyId: AccessKeyId, accessKeySecret: AccessKeySecret, securityToken: SecurityToken } = key;
  const Expiration = new Date(Date.now() + lifeMs).toISOString().replace(/\.\d+Z/, 'Z');
  return {
    status: 200,
    body: JSON.stringify({ Code: 'Success', AccessKeyId, AccessKeySecret, SecurityToken, Expiration }),
  };
}

/** Lets a server stand in for the metadata service of an ECS instance, whose address is fixed, in this process until the test ends. */
export async function startMetadata(respond: (request: ReceivedRequest) => CannedResponse) {
  const server = await startServer(respond);
  const port = Number(new URL(server.target.endpoint).port);
  redirectMetadata(port);
  return server;
}

/** The same for a port; on 1 nothing listens. */
export function redirectMetadata(port: number): void {
  const { request } = http;
  const agent = Object.assign(new http.Agent(), { createConnection: () => connect(port, '127.0.0.1') });
  const spy = vi
    .spyOn(http, 'request')
    .mockImplementation(((options: http.RequestOptions) =>
      request(options.host === '100.100.100.200' ? { ...options, agent } : options)) as typeof request);
  onTestFinished(() => spy.mockRestore());
}

/** A server that never answers. */
export async function startSilent() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on('error', () => {})));
  const connected = once(server, 'connection');
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  const { port } = server.address() as AddressInfo;
  const host = `127.0.0.1:${port}`;
  return { url: `http://${host}`, host, port, connected };
}
