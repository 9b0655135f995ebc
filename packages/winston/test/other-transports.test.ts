import { ConfigError } from '@logferry/core';
import { describe, expect, test } from 'vitest';
import { CloudWatchTransport } from '../src/cloudwatch.js';
import { LogServiceTransport } from '../src/log-service.js';
import { otherTransports } from '../src/other-transports.js';

function refusal(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (ConfigError.is(error)) return error.message;
  }
  throw new Error('no ConfigError');
}

const make = (name: string) => () => new CloudWatchTransport({ logGroupName: 'shop', [name]: undefined } as never);

/** All options that the packages read, and whether ours has the same name. */
const names = {
  'winston-cloudwatch': {
    same: ['logGroupName', 'logStreamName', 'level', 'silent', 'retentionInDays'],
    other: [
      ...['name', 'awsRegion', 'awsAccessKeyId', 'awsSecretKey', 'awsOptions', 'cloudWatchLogs', 'ensureLogGroup'],
      ...['jsonMessage', 'messageFormatter', 'uploadRate', 'errorHandler'],
    ],
  },
  'winston-aws-cloudwatch': {
    same: ['logGroupName', 'logStreamName', 'level', 'silent'],
    other: [
      ...['awsConfig', 'createLogGroup', 'createLogStream', 'formatLog', 'formatLogItem', 'submissionInterval'],
      ...['submissionRetryCount', 'batchSize'],
    ],
  },
};

describe.each(Object.entries(names))('the options of %s', (name, { same, other }) => {
  test('are all known', () => {
    expect(Object.keys(otherTransports[name as keyof typeof otherTransports]).sort()).toEqual(
      [...same, ...other].sort(),
    );
  });

  test.each(other)('%s is answered with what it is here', (option) => {
    expect(refusal(make(option))).toMatch(
      new RegExp(`^\\[logferry\\] unknown option "${option}": "${option}" of ${name} is `),
    );
  });

  test.each(same.filter((option) => option !== 'logGroupName'))('%s has the same name here', (option) => {
    expect(make(option)).not.toThrow();
  });
});

test.each([
  ['awsRegion', '"awsRegion" of winston-cloudwatch is "region" here'],
  ['awsSecretKey', '"awsSecretKey" of winston-cloudwatch is "credentials" here: the member secretAccessKey of it'],
  [
    'jsonMessage',
    '"jsonMessage" of winston-cloudwatch is "format" here: winston.format.json(), also as the format of the logger',
  ],
  [
    'uploadRate',
    '"uploadRate" of winston-cloudwatch is "maxDelayMs" here: the longest wait of a record, in milliseconds; the default is 1000',
  ],
  ['ensureLogGroup', '"ensureLogGroup" of winston-cloudwatch is "createMissing" here: false creates no stream either'],
  [
    'createLogGroup',
    '"createLogGroup" of winston-aws-cloudwatch is "createMissing" here: for group and stream; the default is true',
  ],
  ['name', '"name" of winston-cloudwatch is no option here: leave it out'],
])('%s', (option, answer) => {
  expect(refusal(make(option))).toBe(`[logferry] unknown option "${option}": ${answer}`);
});

test('the options of clients of Log Service are answered, too', () => {
  const options = { endpoint: 'cn-hangzhou.log.aliyuncs.com', project: 'shop', logstore: 'web', accessKeyId: 'x' };
  expect(refusal(() => new LogServiceTransport(options as never))).toContain('is "credentials" here');
});
