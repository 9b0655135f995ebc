// Asks for a key, and ends naturally. With WAITS it holds the process until the answer comes.
import http from 'node:http';

const { CONFIG, METADATA_PORT, FORMAT, WAITS } = process.env;
if (METADATA_PORT) {
  const { request } = http;
  http.request = (options) => request({ ...options, host: '127.0.0.1', port: Number(METADATA_PORT) });
}
const { createCredentialsSource } = await import(`../../dist/${FORMAT}/signed/credentials.js`);
const hold = WAITS && setTimeout(() => {}, 60_000);
createCredentialsSource(JSON.parse(CONFIG))
  .get()
  .then(
    ({ accessKeyId }) => console.log(accessKeyId),
    ({ code }) => console.log(code),
  )
  .finally(() => clearTimeout(hold));
