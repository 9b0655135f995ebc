// Has nothing open but a request that is never answered, on a connection that is new or was used before.
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
