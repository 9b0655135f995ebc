// Sends a second request on a connection, and is busy until the server, in a thread of its own, has it and has closed the connection.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:https';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import { createHttpClient, noAnswer } from '@logferry/core';

const isClosed = workerData ?? new Int32Array(new SharedArrayBuffer(4));

if (isMainThread) {
  const server = new Worker(new URL(import.meta.url), { workerData: isClosed });
  const [port] = await once(server, 'message');
  const client = createHttpClient();
  const signal = AbortSignal.timeout(10_000);
  const request = { url: `https://127.0.0.1:${port}`, method: 'POST', headers: {}, body: 'x', signal };
  await client.request(request);
  await new Promise(setImmediate);
  setImmediate(async () => {
    const error = await client.request(request).catch((reason) => reason);
    console.log(JSON.stringify(noAnswer(error)));
    client.close();
    await server.terminate();
  });
  setImmediate(() => Atomics.wait(isClosed, 0, 0, 10_000));
} else {
  const pem = readFileSync(process.env.PEM);
  let requests = 0;
  const server = createServer({ key: pem, cert: pem }, async (request, response) => {
    const isFirst = ++requests === 1;
    await once(request.resume(), 'end');
    if (isFirst) {
      response.end();
      return;
    }
    await once(request.socket.destroy(), 'close');
    Atomics.store(isClosed, 0, 1);
    Atomics.notify(isClosed, 0);
  });
  server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));
}
