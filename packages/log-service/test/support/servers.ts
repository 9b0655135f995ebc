import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Batch, DeliveryError, type Destination, type SendOutcome } from '@logferry/core';
import { type LogServiceEmulator, startLogService } from '@logferry/emulators';
import { onTestFinished } from 'vitest';
import { createLogService, type LogServiceOptions } from '../../src/index.js';

/** A local Log Service for one test, and a destination for it. */
export async function startShop(options: Partial<LogServiceOptions> = {}): Promise<{
  readonly emulator: LogServiceEmulator;
  readonly destination: Destination;
}> {
  const emulator = await startLogService({ strict: true });
  onTestFinished(() => emulator.close());
  return { emulator, destination: createLogService({ ...emulator.target, ...options }) };
}

export interface ReceivedRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface CannedResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | undefined;
}

/** A server for responses that the emulator has no fault for. With `requestId: undefined` it is some other server. */
export async function startServer(
  respondTo: (request: ReceivedRequest) => CannedResponse,
  { requestId }: { readonly requestId: string | undefined } = { requestId: 'REQUEST1' },
): Promise<{
  readonly requests: readonly ReceivedRequest[];
  readonly last: () => ReceivedRequest;
  /** Number of connections that were opened. */
  readonly connections: () => number;
  readonly openConnections: () => number;
  readonly target: { readonly endpoint: string; readonly project: string; readonly logstore: string };
}> {
  const requests: ReceivedRequest[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method = '', url = '', headers } = request;
    const received = { method, url, headers, body: Buffer.concat(chunks) };
    requests.push(received);
    const { status, headers: cannedHeaders, body } = respondTo(received);
    response.writeHead(status, { ...(requestId && { 'x-log-requestid': requestId }), ...cannedHeaders }).end(body);
  };
  const server = createServer((request, response) => void respond(request, response));
  let connections = 0;
  let openConnections = 0;
  server.on('connection', (socket) => {
    connections++;
    openConnections++;
    socket.once('close', () => openConnections--);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return {
    requests,
    last: () => requests.at(-1) ?? fail('no request came'),
    connections: () => connections,
    openConnections: () => openConnections,
    target: { endpoint: `http://127.0.0.1:${port}`, project: 'shop', logstore: 'web' },
  };
}

function fail(message: string): never {
  throw new Error(message);
}

/** An error as the service writes it. */
export function serviceError(
  status: number,
  errorCode: string,
  errorMessage = `a ${errorCode} for the test`,
): CannedResponse {
  return {
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ errorCode, errorMessage }),
  };
}

export const accepted: CannedResponse = { status: 200, headers: { 'x-log-requestid': 'REQUEST1' } };

export function send(destination: Destination, batch: Batch): Promise<SendOutcome> {
  return destination.send(batch, AbortSignal.timeout(10_000));
}

export async function failureOf(sending: Promise<unknown>): Promise<DeliveryError> {
  try {
    await sending;
  } catch (error) {
    if (DeliveryError.is(error)) return error;
    throw error;
  }
  throw new Error('the request succeeded');
}
