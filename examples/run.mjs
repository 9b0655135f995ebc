// Runs an example against the services that environment variables name, and starts emulators for the others.
import { spawn } from 'node:child_process';
import { startCloudWatch, startLogService } from '@logferry/emulators';

const { AWS_ENDPOINT_URL_CLOUDWATCH_LOGS, AWS_ACCESS_KEY_ID, AWS_PROFILE, SLS_ENDPOINT } = process.env;
const hasAws = AWS_ENDPOINT_URL_CLOUDWATCH_LOGS || AWS_ACCESS_KEY_ID || AWS_PROFILE;
const cloudWatch = hasAws ? undefined : await startCloudWatch();
const logService = SLS_ENDPOINT ? undefined : await startLogService();

const { endpoint, project, logstore } = logService?.target ?? {};
const env = {
  ...process.env,
  ...cloudWatch?.env,
  ...(logService && { ...logService.env, SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore }),
};
const child = spawn(process.execPath, process.argv.slice(2), { stdio: 'inherit', env });
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.once('exit', async (code) => {
  for (const [name, emulator] of Object.entries({ 'CloudWatch Logs': cloudWatch, 'Log Service': logService })) {
    const received = emulator?.events().length ?? 0;
    if (received > 0) console.error(`the local ${name} received ${received} records`);
    await emulator?.close();
  }
  process.exitCode = code ?? 1;
});
