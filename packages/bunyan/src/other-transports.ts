/** The options of bunyan streams to CloudWatch Logs that people come from. */
export const otherTransports = {
  'bunyan-cloudwatch': {
    logGroupName: { is: 'logGroupName' },
    logStreamName: { is: 'logStreamName', note: "the default is '{hostname}/{pid}/{start}'" },
    cloudWatchLogsOptions: {
      note: 'its region, credentials and endpoint are options of their own; for all else pass a CloudWatchLogsClient as client',
    },
    writeInterval: {
      is: 'maxDelayMs',
      note: 'the longest wait of a record, in milliseconds; the default is 1000, not 0',
    },
    AWS: { is: 'client', note: 'a CloudWatchLogsClient of version 3 of the AWS SDK' },
  },
} as const;
