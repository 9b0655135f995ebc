import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type CloudWatchEmulator, type CloudWatchEmulatorOptions, startCloudWatch } from '@logferry/emulators';
import { onTestFinished } from 'vitest';

const REGION = 'us-east-1';

/** An emulator for one test, and the options for a destination to it. */
export async function startEmulator(options: CloudWatchEmulatorOptions = {}): Promise<{
  readonly emulator: CloudWatchEmulator;
  readonly access: Access;
}> {
  const emulator = await startCloudWatch({ region: REGION, strict: true, ...options });
  onTestFinished(() => emulator.close());
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = emulator.env;
  return {
    emulator,
    access: { region: REGION, endpoint: emulator.url, credentials: { accessKeyId, secretAccessKey } },
  };
}

export interface Access {
  readonly region: string;
  readonly endpoint: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

export interface ReceivedRequest {
  /** `PutLogEvents` */
  readonly operation: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface CannedResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A server for responses that the emulator has no fault for. */
export async function startServer(respondTo: (request: ReceivedRequest) => CannedResponse): Promise<{
  readonly requests: readonly ReceivedRequest[];
  readonly access: Access;
}> {
  const requests: ReceivedRequest[] = [];
  const respond = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const operation = String(request.headers['x-amz-target']).replace(/^.*\./, '');
    const received = { operation, headers: request.headers, body: Buffer.concat(chunks) };
    requests.push(received);
    const { status, headers, body } = respondTo(received);
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.1', ...headers }).end(body);
  };
  const server = createServer((request, response) => void respond(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };
  return { requests, access: { region: REGION, endpoint: `http://127.0.0.1:${port}`, credentials } };
}

/** An error as the service writes it. */
export function serviceError(
  status: number,
  name: string,
  members: Readonly<Record<string, unknown>> = {},
): CannedResponse {
  return { status, body: JSON.stringify({ __type: name, message: `a ${name} for the test`, ...members }) };
}

export const accepted: CannedResponse = { status: 200, headers: { 'x-amzn-requestid': 'request-1' }, body: '{}' };
