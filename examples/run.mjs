// Runs an example: against the cloud or the emulator that the environment names, or else against an emulator of its own.
import { spawn } from 'node:child_process';
import { startCloudWatch } from '@logferry/emulators';

const { AWS_ENDPOINT_URL_CLOUDWATCH_LOGS, AWS_ACCESS_KEY_ID, AWS_PROFILE } = process.env;
const target = AWS_ENDPOINT_URL_CLOUDWATCH_LOGS ?? (AWS_ACCESS_KEY_ID || AWS_PROFILE ? 'your AWS account' : undefined);
const emulator = target === undefined ? await startCloudWatch() : undefined;
console.error(`shipping to ${target ?? `a local CloudWatch at ${emulator.url}`}`);

const child = spawn(process.execPath, process.argv.slice(2), {
  stdio: 'inherit',
  env: { ...process.env, ...emulator?.env },
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => child.kill(signal));
child.once('exit', async (code) => {
  if (emulator) console.error(`the local CloudWatch received ${emulator.events().length} records`);
  await emulator?.close();
  process.exitCode = code ?? 1;
});
