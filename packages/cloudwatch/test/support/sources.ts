import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

/** The response to a request, by its method and path; `undefined`: none ever. */
export type Respond = (request: string) => readonly [status: number, body?: string] | undefined;

/** A server for a source of credentials: instance metadata, the endpoint of a container, STS, SSO. */
export async function startSource(respond: Respond): Promise<{ readonly url: string; readonly host: string }> {
  const server = createServer((request, response) => {
    const answer = respond(`${request.method} ${request.url}`);
    if (answer) response.writeHead(answer[0], { 'content-type': 'application/json' }).end(answer[1]);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { url: `http://${host}`, host };
}

/** The instance metadata of a machine whose role has these credentials. */
export function metadata({ accessKeyId, secretAccessKey }: Keys): Respond {
  return (request) => {
    if (request.startsWith('PUT')) return [200, 'token'];
    if (request.endsWith('/security-credentials/')) return [200, 'role'];
    return [
      200,
      JSON.stringify({
        AccessKeyId: accessKeyId,
        SecretAccessKey: secretAccessKey,
        Token: 't',
        Expiration: IN_AN_HOUR,
      }),
    ];
  };
}

interface Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
}

const IN_AN_HOUR = new Date(Date.now() + 3_600_000).toISOString();
