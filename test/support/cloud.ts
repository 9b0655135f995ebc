import type { CloudWatchOptions } from '@logferry/cloudwatch';
import type { CloudWatchEmulator } from '@logferry/emulators';

/** Options that make a transport ship to an emulator, without an environment variable. */
export function shipTo({ url, env }: Pick<CloudWatchEmulator, 'url' | 'env'>): CloudWatchOptions {
  return {
    logGroupName: 'test',
    endpoint: url,
    region: env.AWS_REGION,
    credentials: { accessKeyId: env.AWS_ACCESS_KEY_ID, secretAccessKey: env.AWS_SECRET_ACCESS_KEY },
  };
}
