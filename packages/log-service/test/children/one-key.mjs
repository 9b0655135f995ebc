// Asks for a key, and ends naturally. With WAITS it holds the process until the answer comes. With FORM=object it asks an object.
import http from 'node:http';
import credentials from '@alicloud/credentials';

const { CONFIG, METADATA_PORT, FORMAT, WAITS, FORM } = process.env;
if (METADATA_PORT) {
  const { request } = http;
  http.request = (options) => request({ ...options, host: '127.0.0.1', port: Number(METADATA_PORT) });
}
const { createCredentialsSource } = await import(`../../dist/${FORMAT}/signed/credentials.js`);
const hold = WAITS && setTimeout(() => {}, 60_000);
const config = JSON.parse(CONFIG);
createCredentialsSource(FORM === 'object' ? new credentials.default(config) : config)
  .get()
  .then(
    ({ accessKeyId }) => console.log(accessKeyId),
    ({ code }) => console.log(code),
  )
  .finally(() => clearTimeout(hold));
