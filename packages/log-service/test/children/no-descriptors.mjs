// Logs one record while the process has no file descriptor left, and frees them after the first failed attempt.
import { subscribe } from 'node:diagnostics_channel';
import { closeSync, openSync } from 'node:fs';
import { createRequire } from 'node:module';

const [format] = process.argv.slice(2);
const load = (name) => (format === 'cjs' ? createRequire(import.meta.url)(name) : import(name));
const { createLogService } = await load('@logferry/log-service');
const { createShipper } = await load('@logferry/core');

const held = [];
const shipper = createShipper(createLogService(JSON.parse(process.env.TARGET)), {
  maxBatchEvents: 1,
  retry: { baseMs: 20 },
});
subscribe('logferry:error', ({ error }) => {
  if (error.code !== 'AGAIN') console.log(error.code);
  for (const descriptor of held.splice(0)) closeSync(descriptor);
});
try {
  for (;;) held.push(openSync('/dev/null'));
} catch {
  // None is left.
}
shipper.accept({ time: Date.now(), level: 'info', urgent: false, text: '', fields: { message: 'same '.repeat(100) } });
const { delivered } = await shipper.close();
console.log('delivered', delivered);
