// Logs one record while the process has no file descriptor left, and frees them after the first failed attempt. In a thread it
// frees them after 300 ms.
import { subscribe } from 'node:diagnostics_channel';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';

const [format, thread] = process.argv.slice(2);
const load = (name) => (format === 'cjs' ? createRequire(import.meta.url)(name) : import(name));
const { createCloudWatch } = await load('@logferry/cloudwatch');
const { createShipper } = await load('@logferry/core');

const held = [];
const release = () => {
  for (const descriptor of held.splice(0)) closeSync(descriptor);
};
if (!thread)
  subscribe('logferry:error', ({ error }) => {
    if (error.code !== 'AGAIN') console.log(error.code);
    release();
  });
const options = { maxBatchEvents: 1, retry: { baseMs: 20 } };
const shipper = createShipper(createCloudWatch({ logGroupName: 'shop' }), {
  ...options,
  ...(thread && { thread: true }),
});
// A thread needs descriptors to start.
await shipper.flush();
try {
  for (;;) held.push(openSync('/dev/null'));
} catch {
  if (thread) setTimeout(release, 300);
}
shipper.accept({ time: Date.now(), level: 'info', urgent: false, text: 'x', fields: {} });
const { delivered } = await shipper.close();
console.log('delivered', delivered);
