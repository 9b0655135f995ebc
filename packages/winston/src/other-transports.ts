/** The options of winston transports to CloudWatch Logs that people come from. */
export const otherTransports = {
  'winston-cloudwatch': {
    logGroupName: { is: 'logGroupName', note: 'a function is called for each record, and gets it' },
    logStreamName: {
      is: 'logStreamName',
      note: "a function is called for each record, and gets it; the default is '{hostname}/{pid}/{start}'",
    },
    level: { is: 'level', note: "the default is the logger's level, not 'info'" },
    silent: { is: 'silent' },
    name: { note: 'leave it out' },
    awsRegion: { is: 'region' },
    awsAccessKeyId: { is: 'credentials', note: 'the member accessKeyId of it' },
    awsSecretKey: { is: 'credentials', note: 'the member secretAccessKey of it' },
    awsOptions: {
      note: 'its region, credentials and endpoint are options of their own; for all else pass a CloudWatchLogsClient as client',
    },
    cloudWatchLogs: { is: 'client', note: 'of version 3 of the AWS SDK' },
    ensureLogGroup: { is: 'createMissing', note: 'false creates no stream either' },
    retentionInDays: { is: 'retentionInDays', note: 'of a group that is created; an existing group keeps its own' },
    jsonMessage: { is: 'format', note: 'winston.format.json(), also as the format of the logger' },
    messageFormatter: {
      is: 'format',
      note: 'winston.format.printf(…), which makes the line from the record, also as the format of the logger',
    },
    uploadRate: { is: 'maxDelayMs', note: 'the longest wait of a record, in milliseconds; the default is 1000' },
    errorHandler: { is: 'onError', note: 'it is called with failures that last, and onDrop with losses' },
  },
  'winston-aws-cloudwatch': {
    logGroupName: { is: 'logGroupName' },
    logStreamName: { is: 'logStreamName', note: "the default is '{hostname}/{pid}/{start}'" },
    level: { is: 'level' },
    silent: { is: 'silent' },
    awsConfig: {
      note: 'its region, credentials and endpoint are options of their own; for all else pass a CloudWatchLogsClient as client',
    },
    createLogGroup: { is: 'createMissing', note: 'for group and stream; the default is true' },
    createLogStream: { is: 'createMissing', note: 'for group and stream; the default is true' },
    formatLog: {
      is: 'format',
      note: 'winston.format.printf(…), which makes the line from the record, also as the format of the logger',
    },
    formatLogItem: {
      is: 'format',
      note: 'winston.format.printf(…) makes the line; the time of an event is the timestamp of the record, or the time of the call',
    },
    submissionInterval: {
      is: 'maxDelayMs',
      note: 'the longest wait of a record, in milliseconds; the default is 1000',
    },
    submissionRetryCount: {
      is: 'retry',
      note: 'leave it out: a batch is sent again until its records are 15 minutes old',
    },
    batchSize: { is: 'maxBatchEvents', note: "leave it out: the default is the service's limit" },
  },
} as const;
