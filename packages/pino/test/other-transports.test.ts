import { once } from 'node:events';
import { ConfigError } from '@logferry/core';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
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

/** All options that the packages read, and whether ours has the same name. */
const names = {
  '@serdnam/pino-cloudwatch-transport': {
    same: ['logGroupName', 'logStreamName'],
    other: ['awsRegion', 'awsAccessKeyId', 'awsSecretAccessKey', 'interval'],
  },
  'pino-cloudwatch': {
    same: [],
    other: [
      ...['group', 'prefix', 'stream', 'interval', 'aws_region', 'aws_access_key_id', 'aws_secret_access_key'],
      'stdout',
    ],
  },
};

describe.each(Object.entries(names))('the options of %s', (name, { same, other }) => {
  it('are all known', () => {
    expect(Object.keys(otherTransports[name as keyof typeof otherTransports]).sort()).toEqual(
      [...same, ...other].sort(),
    );
  });

  it.each(other)('%s is answered with what it is here', (option) => {
    const message = refusal(make(option));
    expect(message).toContain(`[logferry] unknown option "${option}": "${option}" of `);
    expect(message.split(' is ')[0]).toContain(name);
  });
});

it.each([
  ['awsRegion', '"awsRegion" of @serdnam/pino-cloudwatch-transport is "region" here'],
  ['group', '"group" of pino-cloudwatch is "logGroupName" here'],
  ['prefix', `"prefix" of pino-cloudwatch is "logStreamName" here: a template such as 'web-{hostname}-{pid}-{start}'`],
  ['aws_region', '"aws_region" of pino-cloudwatch is "region" here'],
  [
    'stdout',
    '"stdout" of pino-cloudwatch is no option here: name a second target, pino/file, or call "logferry cloudwatch" with --tee',
  ],
])('%s', (option, answer) => {
  expect(refusal(make(option))).toBe(`[logferry] unknown option "${option}": ${answer}`);
});

it("the answer comes from pino's worker, too", async () => {
  const options = { logGroupName: 'shop', awsRegion: 'eu-west-1' };
  const [error] = await once(pino.transport({ target: '@logferry/pino/cloudwatch', options }), 'error');
  expect((error as Error).message).toContain('"awsRegion" of @serdnam/pino-cloudwatch-transport is "region" here');
});

it('the options of clients of Log Service are answered, too', () => {
  const options = { endpoint: 'cn-hangzhou.log.aliyuncs.com', project: 'shop', logstore: 'web', host: 'x' };
  expect(refusal(() => logServiceStream(options as never))).toContain('is "endpoint" here');
});
