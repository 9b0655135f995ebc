/** The options of pino transports to CloudWatch Logs that people come from. */
export const otherTransports = {
  '@serdnam/pino-cloudwatch-transport': {
    logGroupName: { is: 'logGroupName', note: 'may be a template' },
    logStreamName: { is: 'logStreamName', note: "may be a template; the default is '{hostname}/{pid}/{start}'" },
    awsRegion: { is: 'region' },
    awsAccessKeyId: { is: 'credentials', note: 'the member accessKeyId of it' },
    awsSecretAccessKey: { is: 'credentials', note: 'the member secretAccessKey of it' },
    interval: {
      is: 'maxDelayMs',
      note: 'the longest wait of a record, in milliseconds, also if no other record follows; the default is 1000',
    },
  },
  'pino-cloudwatch': {
    group: { is: 'logGroupName' },
    prefix: { is: 'logStreamName', note: "a template such as 'web-{hostname}-{pid}-{start}'" },
    stream: { is: 'logStreamName' },
    interval: { is: 'maxDelayMs', note: 'the longest wait of a record, in milliseconds; 0 does not switch it off' },
    aws_region: { is: 'region' },
    aws_access_key_id: { is: 'credentials', note: 'the member accessKeyId of it' },
    aws_secret_access_key: { is: 'credentials', note: 'the member secretAccessKey of it' },
    stdout: { note: 'name a second target, pino/file, or call "logferry cloudwatch" with --tee' },
  },
} as const;
