import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createHttpClient, type HttpClient, type HttpRequest, type HttpResponse, noAnswer } from '../src/index.js';
import { bodyOf, certificateFile, serve, serveTcp } from './support/http-server.js';

const MIB = 1024 ** 2;

/** A client for one test. */
function start(): HttpClient {
  const client = createHttpClient();
  onTestFinished(() => client.close());
  return client;
}

function post(client: HttpClient, url: string, options: Partial<HttpRequest> = {}): Promise<HttpResponse> {
  const signal = AbortSignal.timeout(60_000);
  return client.request({ url, method: 'POST', headers: {}, body: 'x', signal, ...options });
}

const textOf = ({ body }: HttpResponse): string => Buffer.from(body).toString();

describe('a request', () => {
  it('sends method, path, headers and body, and returns status, headers and body', async () => {
    const { url } = await serve(async (request, response) => {
      const body = await bodyOf(request);
      const { method, url: path, headers } = request;
      response.setHeader('X-Twice', ['a', 'b']);
      response.writeHead(418).end(`${method} ${path} ${headers['x-name']} ${headers['content-length']} ${body}`);
    });
    const response = await post(start(), `${url}/logs?a=b`, { headers: { 'x-name': 'value' }, body: 'größe' });
    expect(response).toMatchObject({ status: 418, headers: { 'x-twice': 'a, b' }, complete: true });
    expect(textOf(response)).toBe('POST /logs?a=b value 7 größe');
  });

  it('sends a large body unchanged', async () => {
    const body = Buffer.alloc(5 * MIB, 'body');
    const { url } = await serve(async (request, response) => {
      response.end(String(body.equals(await bodyOf(request))));
    });
    expect(textOf(await post(start(), url, { body }))).toBe('true');
  });

  it('reuses the connection of the previous request', async () => {
    const { url, sockets } = await serve((request, response) => request.resume().on('end', () => response.end('ok')));
    const client = start();
    for (let i = 0; i < 5; i++) {
      await post(client, url);
      // The connection is free in the next turn.
      await new Promise(setImmediate);
    }
    expect(sockets).toHaveLength(1);
  });

  it('does not follow a redirection', async () => {
    const paths: unknown[] = [];
    const { url } = await serve((request, response) => {
      paths.push(request.url);
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect(await post(start(), `${url}/first`)).toMatchObject({ status: 302, headers: { location: '/elsewhere' } });
    expect(paths).toEqual(['/first']);
  });

  it('is aborted, and its connection closed, with the signal', async () => {
    const controller = new AbortController();
    const { url, sockets } = await serve(() => controller.abort());
    await expect(post(start(), url, { signal: controller.signal })).rejects.toMatchObject({ name: 'AbortError' });
    await expect.poll(() => sockets[0]?.destroyed).toBe(true);
    await expect(post(start(), url, { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError' });
  });

  it('fails when the connection ends or is reset, and may have been received', async () => {
    for (const react of ['end', 'resetAndDestroy'] as const) {
      const { url } = await serveTcp((socket) => void socket.once('data', () => socket[react]()).resume());
      const error = await post(start(), url).catch((reason) => reason);
      expect(error.message, react).toMatch(/hang up|ECONNRESET/);
      expect(noAnswer(error)).toMatchObject({ code: 'NETWORK', ambiguous: true });
    }
  });

  it('cannot have been received while a part of it is not sent', async () => {
    const { url } = await serveTcp((socket) => void socket.once('data', () => socket.resetAndDestroy()).resume());
    const error = await post(start(), url, { body: Buffer.alloc(30 * MIB) }).catch((reason) => reason);
    expect(noAnswer(error)).toMatchObject({ code: 'NETWORK', ambiguous: false });
  });

  it('is to be repeated when a used connection breaks before a response, and then has a new one', async () => {
    const { url, sockets } = await serve((request, response) => {
      if (request.url === '/break') request.socket.destroy();
      else request.resume().once('end', () => response.end());
    });
    const client = start();
    // The client has two connections.
    await Promise.all([post(client, `${url}/1`), post(client, `${url}/2`)]);
    await new Promise(setImmediate);
    const broken = await post(client, `${url}/break`).catch((reason) => reason);
    expect(noAnswer(broken)).toMatchObject({ code: 'AGAIN', ambiguous: true });
    // A new one: the other unused connection may be closed as well.
    const error = await post(client, `${url}/break`).catch((reason) => reason);
    expect(noAnswer(error)).toMatchObject({ code: 'NETWORK', ambiguous: true });
    expect(sockets).toHaveLength(3);
  });

  it('that cannot be made is a wrong setting, and rejects', async () => {
    const client = start();
    for (const [url, headers, text] of [
      ['localhost:80', {}, 'Protocol "localhost:" not supported'],
      ['localhost', {}, 'Invalid URL'],
      ['http://us east-1.example', {}, 'Invalid URL'],
      ['http://localhost', { authorization: 'key\n' }, 'Invalid character in header content ["authorization"]'],
    ] as const) {
      const error = await post(client, url, { headers }).catch((reason) => reason);
      expect(noAnswer(error)).toMatchObject({ code: 'MISCONFIGURED', ambiguous: false });
      expect(error.message).toContain(text);
    }
  });

  it('is not ambiguous if the connection is refused', async () => {
    const error = await post(start(), 'http://localhost:1').catch((reason) => reason);
    expect(error.code).toBe('ECONNREFUSED');
    expect(noAnswer(error)).toMatchObject({ code: 'NETWORK', ambiguous: false });
  });
});

describe('a response', () => {
  it('is valid although its body does not end: its first MiB is read', async () => {
    const { url, sockets } = await serve((_request, response) => {
      const more = (): void => {
        while (response.write(Buffer.alloc(65_536)));
      };
      response.writeHead(502).on('drain', more);
      more();
    });
    const { status, body, complete } = await post(start(), url);
    expect({ status, bytes: body.length, complete }).toEqual({ status: 502, bytes: MIB, complete: false });
    await expect.poll(() => sockets[0]?.destroyed).toBe(true);
  });

  it('is valid although its body breaks off', async () => {
    const { url, sockets } = await serve((_request, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('partial', () => sockets[0]?.destroy());
    });
    expect(await post(start(), url)).toMatchObject({ status: 200, complete: false });
  });

  it('is valid although the request is aborted within its body', async () => {
    for (const encoding of ['identity', 'gzip']) {
      const { url } = await serve((_request, response) => {
        response.writeHead(413, { 'content-encoding': encoding }).write(gzipSync('a part'));
      });
      const response = await post(start(), url, { signal: AbortSignal.timeout(100) });
      expect(response).toMatchObject({ status: 413, complete: false });
    }
  });

  it('is valid although it switches protocols', async () => {
    const head = 'HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n';
    const { url, sockets } = await serveTcp((socket) => void socket.once('data', () => socket.write(head)).resume());
    expect(await post(start(), url)).toMatchObject({ status: 101, headers: { upgrade: 'x' }, complete: true });
    await expect.poll(() => sockets[0]?.destroyed).toBe(true);
  });

  it('is decoded, as far as it came', async () => {
    const text = 'the text '.repeat(1000);
    const encoders = { gzip: gzipSync, 'x-gzip': gzipSync, deflate: deflateSync, br: brotliCompressSync };
    const { url } = await serve((request, response) => {
      const [, encoding = '', what] = String(request.url).split('/');
      const body = encoders[encoding as 'gzip']?.(text) ?? Buffer.from(text);
      const length = what === 'cut' ? 20 : body.length;
      response.writeHead(200, { 'content-encoding': encoding, 'content-length': length });
      if (what === 'cut') response.end(body.subarray(0, length));
      else if (what === 'half') response.write(body.subarray(0, body.length >> 1), () => response.destroy());
      else response.end(what === 'damaged' ? Buffer.alloc(body.length, 'x') : body);
    });
    const client = start();
    for (const encoding of Object.keys(encoders)) {
      const whole = await post(client, `${url}/${encoding}/whole`);
      expect({ encoding, text: textOf(whole), complete: whole.complete }).toEqual({ encoding, text, complete: true });
      const half = await post(client, `${url}/${encoding}/half`);
      expect(text.startsWith(textOf(half))).toBe(true);
      expect(half).toMatchObject({ status: 200, complete: false });
      for (const what of ['damaged', 'cut'])
        expect(await post(client, `${url}/${encoding}/${what}`)).toMatchObject({ status: 200, complete: false });
    }
    const unknown = await post(client, `${url}/zstd/whole`);
    expect({ text: textOf(unknown), complete: unknown.complete }).toEqual({ text: '', complete: false });
    expect(textOf(await post(client, `${url}/identity/whole`))).toBe(text);
  });

  it('is decoded up to 1 MiB', async () => {
    const body = gzipSync(Buffer.alloc(50 * MIB));
    const { url } = await serve((_request, response) =>
      response.writeHead(502, { 'content-encoding': 'gzip' }).end(body),
    );
    const response = await post(start(), url);
    expect({ bytes: response.body.length, complete: response.complete }).toEqual({ bytes: MIB, complete: false });
  });

  it('is read, and decoded, up to the limit of the client', async () => {
    const { url } = await serve(({ url: path }, response) => {
      const body = Buffer.alloc(3 * MIB);
      if (path === '/plain') response.end(body);
      else response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(body));
    });
    const sizes = async (maxResponseBytes: number): Promise<unknown[]> => {
      const client = createHttpClient({ maxResponseBytes });
      onTestFinished(() => client.close());
      const responses = await Promise.all(['/plain', '/gzip'].map((path) => post(client, url + path)));
      return responses.map(({ body, complete }) => [body.length, complete]);
    };
    expect(await sizes(3 * MIB)).toEqual([
      [3 * MIB, true],
      [3 * MIB, true],
    ]);
    expect(await sizes(2 * MIB)).toEqual([
      [2 * MIB, false],
      [2 * MIB, false],
    ]);
  });
});

it('progress is told after pieces of 64, 256 and 512 KiB, but not after the last', async () => {
  const { url } = await serve((request, response) => void request.resume().once('end', () => response.end()));
  const sizes = [64 * 1024, 64 * 1024 + 1, 320 * 1024 + 1, 832 * 1024 + 1, 1344 * 1024 + 1];
  const told = [];
  for (const size of sizes) {
    let times = 0;
    await post(start(), url, { body: Buffer.alloc(size), onProgress: () => void times++ });
    told.push(times);
  }
  expect(told).toEqual([0, 1, 2, 3, 4]);
});

it('a refusal is read although the server closes the connection while the body is on its way', async () => {
  const server = `
    const { parentPort, workerData: closed } = require('node:worker_threads');
    const server = require('node:net').createServer({ pauseOnConnect: true }, (socket) => {
      const refusal = 'HTTP/1.1 413 Too Large\\r\\nConnection: close\\r\\nContent-Length: 0\\r\\n\\r\\n';
      parentPort.once('message', () => socket.write(refusal, () => socket.destroy()));
      socket.once('close', () => {
        Atomics.store(closed, 0, 1);
        Atomics.notify(closed, 0);
      });
    });
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
  `;
  const closed = new Int32Array(new SharedArrayBuffer(4));
  const thread = new Worker(server, { eval: true, workerData: closed });
  onTestFinished(async () => void (await thread.terminate()));
  const [port] = await once(thread, 'message');
  const onProgress = (): void => {
    thread.postMessage('refuse');
    Atomics.wait(closed, 0, 0, 10_000);
  };
  const response = await post(start(), `http://127.0.0.1:${port}`, { body: Buffer.alloc(MIB), onProgress });
  expect(response).toMatchObject({ status: 413 });
});

describe('closing', () => {
  it('closes unused connections, and lets new ones be opened', async () => {
    const { url, sockets } = await serve((_request, response) => response.end());
    const client = start();
    await post(client, url);
    client.close();
    await expect.poll(() => sockets[0]?.destroyed).toBe(true);
    expect(await post(client, url)).toMatchObject({ status: 200 });
    expect(sockets).toHaveLength(2);
  });
});

describe('a connection without progress', () => {
  it('is closed while connecting, while sending, within a refusal and between requests, but not before a response', async () => {
    const silent = await serveTcp(() => {}, 'https');
    const busy = await serveTcp(() => {});
    const slow = await serve((_request, response) => setTimeout(() => response.end('late'), 7000));
    const idle = await serve((_request, response) => response.end());
    const page = await serve((_request, response) => void response.writeHead(413).write('a part'));
    const trickle = await serve((_request, response) => {
      const timer = setInterval(() => response.write('.'), 500).unref();
      response.writeHead(429).once('close', () => clearInterval(timer));
    });
    const [connecting, sending, response, refusal, slowly] = await Promise.all([
      post(start(), silent.url).catch(({ code }) => code),
      post(start(), busy.url, { body: Buffer.alloc(30 * MIB) }).catch(({ code }) => code),
      post(start(), slow.url),
      post(start(), page.url),
      post(start(), trickle.url, { signal: AbortSignal.timeout(6000) }),
      post(start(), idle.url),
    ]);
    expect([connecting, sending]).toEqual(['ERR_STALLED', 'ERR_STALLED']);
    expect(noAnswer({ code: 'ERR_STALLED' })).toMatchObject({ code: 'NETWORK', ambiguous: false });
    expect(textOf(response)).toBe('late');
    expect(refusal).toMatchObject({ status: 413, complete: false });
    expect(textOf(refusal)).toBe('a part');
    expect(slowly).toMatchObject({ status: 429, complete: false });
    expect(textOf(slowly).length).toBeLessThan(10);
    await expect.poll(() => idle.sockets[0]?.destroyed).toBe(true);
  });
});

describe('a process that has only a request without a response open', () => {
  it.each([
    ['http', 'new'],
    ['http', 'used'],
    ['https', 'new'],
    ['https', 'used'],
  ] as const)('ends at once (%s, on a %s connection)', async (scheme, connection) => {
    const paths: unknown[] = [];
    const { url, sockets } = await serve((request, response) => {
      paths.push(request.url);
      if (request.url === '/answered') response.end();
    }, scheme);
    const child = fileURLToPath(new URL('children/unanswered.mjs', import.meta.url));
    const reuse = connection === 'used';
    const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificateFile, URL: url, ...(reuse && { REUSE: '1' }) };
    // Rejects if the child does not end by itself.
    await promisify(execFile)(process.execPath, [child], { env, timeout: 20_000 });
    expect(sockets).toHaveLength(1);
    if (reuse) expect(paths).toEqual(['/answered', '/unanswered']);
  });
});

it('stops reading the request body once the response has arrived', async () => {
  let received = Buffer.alloc(0);
  let readOn = (): void => {};
  const { url } = await serveTcp((socket) => {
    socket.write('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
    readOn = () => void socket.on('data', (chunk: Buffer) => (received = Buffer.concat([received, chunk]))).resume();
  });
  const body = Buffer.alloc(30_000_000, 'a');
  const http = createHttpClient();
  onTestFinished(() => http.close());
  await http.request({ url, method: 'POST', headers: {}, body, signal: new AbortController().signal });
  body.fill('B');
  readOn();
  await expect.poll(() => received.length).toBeGreaterThan(1000);
  expect(received.includes('B')).toBe(false);
});

it('a request by TLS may have been received although this thread was busy when its connection was closed', async () => {
  const child = fileURLToPath(new URL('children/busy.mjs', import.meta.url));
  const env = { ...process.env, NODE_EXTRA_CA_CERTS: certificateFile, PEM: certificateFile };
  const { stdout } = await promisify(execFile)(process.execPath, [child], { env, timeout: 20_000 });
  expect(JSON.parse(stdout)).toMatchObject({ code: 'AGAIN', ambiguous: true });
});
