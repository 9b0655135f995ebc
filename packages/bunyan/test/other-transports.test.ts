import { ConfigError } from '@logferry/core';
import { expect, test } from 'vitest';
import { cloudWatchStream } from '../src/cloudwatch.js';
import { logServiceStream } from '../src/log-service.js';
import { otherTransports } from '../src/other-transports.js';

function refusal(make: () => unknown): string {
  try {
    make();
  } catch (error) {
    if (ConfigError.is(error)) return error.message;
  }
  throw new Error('no ConfigError');
}

const make = (name: string) => () => cloudWatchStream({ logGroupName: 'shop', [name]: undefined } as never);

test('all options that bunyan-cloudwatch reads are known', () => {
  expect(Object.keys(otherTransports['bunyan-cloudwatch']).sort()).toEqual(
    ['AWS', 'cloudWatchLogsOptions', 'logGroupName', 'logStreamName', 'writeInterval'].sort(),
  );
});

test.each([
  ['AWS', 'is "client" here: a CloudWatchLogsClient of version 3 of the AWS SDK'],
  ['writeInterval', 'is "maxDelayMs" here: the longest wait of a record, in milliseconds; the default is 1000, not 0'],
  [
    'cloudWatchLogsOptions',
    'is no option here: its region, credentials and endpoint are options of their own; for all else pass a CloudWatchLogsClient as client',
  ],
])('%s is answered with what it is here', (option, answer) => {
  expect(refusal(make(option))).toBe(
    `[logferry] unknown option "${option}": "${option}" of bunyan-cloudwatch ${answer}`,
  );
});

test('the options of clients of Log Service are answered, too', () => {
  const options = { endpoint: 'cn-hangzhou.log.aliyuncs.com', project: 'shop', logstore: 'web', compress: true };
  expect(refusal(() => logServiceStream(options as never))).toContain(
    '"compress" of js-sls-logger is "compression" here',
  );
});
