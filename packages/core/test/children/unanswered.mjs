// Has only a request without a response open, on a new connection or on a reused one.
import { createHttpClient } from '@logferry/core';

const { URL: url, REUSE: reuse } = process.env;
const client = createHttpClient();
const post = (path) =>
  client.request({ url: url + path, method: 'POST', headers: {}, body: 'x', signal: AbortSignal.timeout(60_000) });

if (reuse) {
  const waiting = setTimeout(() => {}, 60_000);
  await post('/answered');
  await new Promise(setImmediate);
  clearTimeout(waiting);
}
post('/unanswered');
