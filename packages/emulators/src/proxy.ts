import { createServer, type IncomingMessage, request as requestHttp, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { callable, checkOptions, integer, object, optional, portNumber, secretText } from './checks.js';

/** Options of {@link startProxy}. */
export interface ProxyOptions {
  /** @default 0, which takes a free port */
  readonly port?: number | undefined;
  /** What clients have to show by Basic authentication; others get 407. @default nothing */
  readonly credentials?: { readonly username: string; readonly password: string } | undefined;
  /**
   * Where a target is reached in truth, as the proxy's own name server would say: `('logs.us-east-1.amazonaws.com:443')` returns
   * `'127.0.0.1:8443'`. @default the target itself
   */
  readonly resolve?: ((target: string) => string) | undefined;
}

/** A forward proxy that runs. */
export interface ForwardProxy {
  /** `"http://127.0.0.1:3128"`, with user name and password if it wants them. */
  readonly url: string;
  /** The requests to it, oldest first. */
  requests(): readonly ProxiedRequest[];
  /** Answers all further requests itself with this status, or never answers; `undefined` ends that. */
  answer(status: number | 'hang' | undefined): void;
  /** Connections of clients that are open. */
  openConnections(): number;
  /** Stops, and closes every connection, tunnels too. */
  close(): Promise<void>;
}

/** A request, as the proxy saw it. */
export interface ProxiedRequest {
  /** `CONNECT` for a tunnel, else the method of a request in absolute form. */
  readonly method: string;
  /** Host and port: `"logs.us-east-1.amazonaws.com:443"`. */
  readonly target: string;
  /** The status that the proxy answered itself; `undefined` if it passed the request on. */
  readonly status: number | undefined;
}

/**
 * Starts a forward proxy for HTTP on 127.0.0.1: tunnels by CONNECT, and `http:` requests in absolute form. Rejects with a TypeError for
 * wrong options.
 */
export async function startProxy(options: ProxyOptions = {}): Promise<ForwardProxy> {
  checkOptions<ProxyOptions>('startProxy', options, {
    port: optional(portNumber),
    credentials: optional(object({ username: secretText, password: secretText })),
    resolve: optional(callable),
  });
  const { port = 0, credentials, resolve = (target) => target } = options;
  const requests: ProxiedRequest[] = [];
  const clients = new Set<Duplex>();
  let answer: number | 'hang' | undefined;
  const login = credentials && `${credentials.username}:${credentials.password}`;
  const expected = login === undefined ? undefined : `Basic ${Buffer.from(login).toString('base64')}`;

  /** Notes the request. Returns the status that the proxy itself answers. */
  const judge = ({ method = '', headers }: IncomingMessage, target: string): number | 'hang' | undefined => {
    const isKnown = expected === undefined || headers['proxy-authorization'] === expected;
    const status = answer ?? (isKnown ? undefined : 407);
    requests.push({ method, target, status: status === 'hang' ? undefined : status });
    return status;
  };

  const tunnel = (incoming: IncomingMessage, client: Duplex): void => {
    client.on('error', () => {});
    const { url: target = '' } = incoming;
    const status = judge(incoming, target);
    if (status === 'hang') {
      client.resume().once('end', () => client.destroy());
      return;
    }
    if (status !== undefined) {
      client.end(
        `HTTP/1.1 ${status} ${status === 407 ? 'Proxy Authentication Required' : 'Refused'}\r\n${CHALLENGE}\r\n\r\n`,
      );
      return;
    }
    const { hostname, port: targetPort } = new URL(`http://${resolve(target)}`);
    const upstream: Socket = connect(Number(targetPort) || 80, hostname.replace(/^\[|\]$/g, ''));
    let isOpen = false;
    upstream.once('connect', () => {
      isOpen = true;
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      client.pipe(upstream).pipe(client);
    });
    upstream.on('error', () => (isOpen ? client.destroy() : client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')));
    upstream.once('close', () => {
      if (isOpen) client.destroy();
    });
    client.once('close', () => upstream.destroy());
  };

  const forward = (incoming: IncomingMessage, response: ServerResponse): void => {
    const { method, url = '', headers } = incoming;
    if (!URL.canParse(url)) {
      response.writeHead(400).end();
      return;
    }
    const { host, port: targetPort, pathname, search } = new URL(url);
    const target = targetPort ? host : `${host}:80`;
    const status = judge(incoming, target);
    if (status === 'hang') return;
    if (status !== undefined) {
      response.writeHead(status, { 'proxy-authenticate': 'Basic realm="proxy"', connection: 'close' }).end();
      return;
    }
    const { 'proxy-authorization': _, ...passed } = headers;
    const upstream = requestHttp(`http://${resolve(target)}${pathname}${search}`, {
      method,
      headers: passed,
      agent: false,
    });
    upstream.once('response', (received) => {
      response.writeHead(received.statusCode ?? 502, received.headers);
      received.on('error', () => response.destroy()).pipe(response);
    });
    upstream.on('error', () => (response.headersSent ? response.destroy() : response.writeHead(502).end()));
    response.once('close', () => upstream.destroy());
    incoming.pipe(upstream);
  };

  const server = createServer({ keepAliveTimeout: 300_000 }, forward).on('connect', tunnel);
  server.on('connection', (client) => {
    clients.add(client);
    client.once('close', () => clients.delete(client));
  });
  await new Promise<void>((done, reject) => {
    server.once('error', reject);
    server.listen(port, '127.0.0.1', done);
  });
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  if (credentials) {
    url.username = encodeURIComponent(credentials.username);
    url.password = encodeURIComponent(credentials.password);
  }
  return {
    url: url.href.replace(/\/$/, ''),
    requests: () => [...requests],
    openConnections: () => clients.size,
    answer(status) {
      if (status !== 'hang') optional(integer(200, 599))('answer: status', status);
      answer = status;
    },
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        for (const client of clients) client.destroy();
      }),
  };
}

const CHALLENGE = 'proxy-authenticate: Basic realm="proxy"\r\nconnection: close';
