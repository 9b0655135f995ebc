// Logs one record while the process has no file descriptor left, and frees them once the first attempt has failed.
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';

const [format, free = '0'] = process.argv.slice(2);
const load = (name) => (format === 'cjs' ? createRequire(import.meta.url)(name) : import(name));
const { createCloudWatch } = await load('@logferry/cloudwatch');
const { createShipper } = await load('@logferry/core');

const held = [];
const shipper = createShipper(createCloudWatch({ logGroupName: 'shop' }), {
  maxBatchEvents: 1,
  retry: { baseMs: 20 },
  onError: ({ code }) => {
    console.log(code);
    for (const descriptor of held.splice(0)) closeSync(descriptor);
  },
});
try {
  for (;;) held.push(openSync('/dev/null'));
} catch {
  for (const descriptor of held.splice(0, Number(free))) closeSync(descriptor);
}
shipper.accept({ time: Date.now(), level: 'info', urgent: false, text: 'x', fields: {} });
const { delivered } = await shipper.close({ timeoutMs: 5000 });
console.log('delivered', delivered);
