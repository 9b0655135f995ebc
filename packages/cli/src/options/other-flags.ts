import type { OtherPackages } from '@logferry/core';

/** The flags of the command that people come from, for CloudWatch Logs. */
export const otherFlags: OtherPackages = {
  'pino-cloudwatch': {
    group: { is: '--group' },
    prefix: { is: '--stream', note: "a template such as 'web-{hostname}-{pid}-{start}'" },
    stream: { is: '--stream' },
    interval: { is: '--max-delay-ms', note: 'the longest wait of a record; 0 does not switch it off' },
    aws_region: { is: '--region' },
    aws_access_key_id: { note: 'set the environment variable AWS_ACCESS_KEY_ID, or name a --profile' },
    aws_secret_access_key: { note: 'set the environment variable AWS_SECRET_ACCESS_KEY, or name a --profile' },
    stdout: { is: '--tee' },
  },
};
