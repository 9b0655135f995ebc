// Prints the failure of a batch for a user without a home: as in a container that runs under any id.
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';

// What Node.js throws for an id without an entry, whoever runs the test.
os.homedir = () => {
  const message = 'A system error occurred: uv_os_homedir returned ENOENT (no such file or directory)';
  throw Object.assign(new Error(message), { name: 'SystemError', code: 'ERR_SYSTEM_ERROR' });
};
syncBuiltinESMExports();
const { createCloudWatch } = await import('@logferry/cloudwatch');
const credentials = { accessKeyId: 'AKIATEST', secretAccessKey: 'secret' };
const destination = createCloudWatch({
  logGroupName: 'shop',
  region: 'us-east-1',
  endpoint: 'http://127.0.0.1:1',
  credentials,
});
const event = destination.encode({ time: Date.now(), level: 'info', text: 'x' });
const batch = { route: event.route, events: [event], bytes: event.bytes };
destination
  .send(batch, new AbortController().signal)
  .catch(({ code, ambiguous, message }) => console.log(code, ambiguous, message));
