import type { IncomingMessage } from 'node:http';
import { isIPv4, type Socket } from 'node:net';

/** A request that the page's routes refuse. */
export class Refusal extends Error {
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

const HTTP_PORT = 80;
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];

/**
 * Throws a Refusal unless the request comes from the page itself, from a user who types its address, or from a program. A web site
 * that is open in the same browser can send requests to this port: under a name of its own that it points to this machine, which the
 * Host header shows, or across sites, which the browser states. It could read the logs and inject faults.
 */
export function checkOrigin({ method, headers, socket }: IncomingMessage): void {
  if (!hostsOf(socket).includes(headers.host ?? ''))
    throw new Refusal(403, 'The page answers under a loopback address only.');
  const { origin } = headers;
  if (origin !== undefined && origin !== `http://${headers.host}`)
    throw new Refusal(403, 'Another origin may not use the page.');
  const site = headers['sec-fetch-site'];
  // A link to the page shows it to the user, in a tab that the other site cannot read. A frame has another destination.
  const isLink =
    headers['sec-fetch-mode'] === 'navigate' && headers['sec-fetch-dest'] === 'document' && method === 'GET';
  if (site !== undefined && site !== 'same-origin' && site !== 'none' && !isLink)
    throw new Refusal(403, 'Another site may not use the page.');
}

/** The loopback names of the server, and its own address, which may be another one of 127.0.0.0/8. */
function hostsOf({ localAddress, localPort }: Pick<Socket, 'localAddress' | 'localPort'>): string[] {
  const isOther = localAddress !== undefined && isIPv4(localAddress) && localAddress.startsWith('127.');
  const names = isOther ? [...LOOPBACK_NAMES, localAddress] : LOOPBACK_NAMES;
  // Clients leave out the port of the scheme.
  const bare = localPort === HTTP_PORT ? names : [];
  return [...bare, ...names.map((name) => `${name}:${localPort}`)];
}

/** The object in a JSON body. A form of another site cannot have the content type. Throws a Refusal. */
export async function readJson(request: IncomingMessage, maxBytes: number): Promise<unknown> {
  if (request.headers['content-type'] !== 'application/json')
    throw new Refusal(415, 'Expected content-type: application/json');
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > maxBytes) throw new Refusal(413, `The body exceeds ${maxBytes} bytes`);
    chunks.push(chunk);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new Refusal(400, 'The body is not valid JSON');
  }
}
