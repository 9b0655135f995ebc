import { ConfigError } from '@logferry/core';
import { expect, it } from 'vitest';
import { type CloudWatchOptions, cloudWatchOptionNames, createCloudWatch } from '../src/index.js';

/** The error for these options beside a valid group name. */
function errorOf(options: Readonly<Record<string, unknown>>): { option: string; message: string } {
  try {
    createCloudWatch({ logGroupName: 'shop', ...options } as CloudWatchOptions);
  } catch (error) {
    if (ConfigError.is(error)) return { option: error.option, message: error.message };
  }
  throw new Error('expected a ConfigError');
}

const secret = { accessKeyId: 'AKIA', secretAccessKey: 'hush' };
const client = { send: async () => ({}) };
const kmsKeyId = 'arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab';

const roleArn = 'arn:aws:iam::123456789012:role/logs';

it.each<[option: string, options: Readonly<Record<string, unknown>>, message: string]>([
  [
    'logGroupName',
    { logGroupName: undefined },
    'a log group name (1 to 512 of a-z A-Z 0-9 . - _ / #, not starting with "aws/"), got undefined',
  ],
  ['logGroupName', { logGroupName: '' }, 'got ""'],
  ['logGroupName', { logGroupName: 'my shop' }, 'got "my shop"'],
  ['logGroupName', { logGroupName: 'aws/lambda' }, 'got "aws/lambda"'],
  ['logGroupName', { logGroupName: 'x'.repeat(513) }, 'a log group name'],
  ['logGroupName', { logGroupName: 'shop\n' }, 'got "shop\\n"'],
  ['logStreamName', { logStreamName: '' }, 'a name or template of 1 to 512 characters, got ""'],
  ['logStreamName', { logStreamName: () => 'x' }, 'a name or template of 1 to 512 characters, got a function'],
  ['logStreamName', { logStreamName: 'x'.repeat(513) }, 'a name or template of 1 to 512 characters'],
  ['logStreamName', { logStreamName: 'a:b' }, 'a name without ":" and "*", got "a:b"'],
  ['logStreamName', { logStreamName: 'a*b' }, 'a name without ":" and "*", got "a*b"'],
  ['logStreamName', { logStreamName: '{date:HH:mm}' }, 'a name without ":" and "*", got "{date:HH:mm}"'],
  ['logStreamName', { logStreamName: '{host}' }, '(not {host}), got "{host}"'],
  ['logStreamName', { logStreamName: 'a{}' }, '(not {}), got "a{}"'],
  ['logStreamName', { logStreamName: '{date:YYYY}' }, '(not {date:YYYY}), got "{date:YYYY}"'],
  ['logStreamName', { logStreamName: '{date}' }, '(not {date}), got "{date}"'],
  ['logStreamName', { logStreamName: '{hostname' }, 'a template with every brace closed, got "{hostname"'],
  ['region', { region: '' }, 'a string that is not empty, got ""'],
  ['region', { region: 'us east-1' }, 'a region such as "us-east-1", got "us east-1"'],
  ['region', { region: 'us_east_1' }, 'got "us_east_1"'],
  ['region', { region: 'https://logs.us-east-1.amazonaws.com' }, 'a region such as "us-east-1"'],
  ['region', { region: 1 }, 'a string that is not empty, got 1'],
  ['endpoint', { endpoint: 'localhost:4566' }, 'a URL that begins with http:// or https://, got "localhost:4566"'],
  ['endpoint', { endpoint: 'http://' }, 'a URL that begins with http:// or https://, got "http://"'],
  [
    'credentials',
    { credentials: 'default' },
    'an object with accessKeyId and secretAccessKey, or a function, got a string',
  ],
  ['credentials', { credentials: null }, 'an object with accessKeyId and secretAccessKey, or a function, got null'],
  [
    'credentials.secretAccessKey',
    { credentials: { accessKeyId: 'AKIA', secretKey: 'hush' } },
    'expected a string that is not empty, got undefined',
  ],
  ['credentials.accessKeyId', { credentials: { ...secret, accessKeyId: '' } }, 'a string that is not empty, got ""'],
  [
    'credentials.sessionToken',
    { credentials: { ...secret, sessionToken: 1 } },
    'a string that is not empty, got a number',
  ],
  ['client', { client: {} }, 'a CloudWatchLogsClient, got an object'],
  ['client', { client: 'x' }, 'an object, got "x"'],
  ['region', { client, region: 'eu-west-1' }, 'to be absent beside client'],
  ['credentials', { client, credentials: secret }, 'to be absent beside client'],
  ['endpoint', { client, endpoint: 'http://127.0.0.1' }, 'to be absent beside client'],
  ['profile', { client, profile: 'shop' }, 'to be absent beside client'],
  ['assumeRole', { client, assumeRole: { roleArn } }, 'to be absent beside client'],
  ['proxy', { client, proxy: 'http://proxy.test' }, 'to be absent beside client'],
  ['proxy', { client, proxy: false }, 'to be absent beside client'],
  ['profile', { profile: '' }, 'a string that is not empty, got ""'],
  ['profile', { profile: 'shop', credentials: secret }, 'to be absent beside credentials'],
  ['proxy', { proxy: true }, 'the URL of a proxy, with http:// or https://, or false, got true'],
  [
    'proxy',
    { proxy: 'socks5://me:hush@proxy.test' },
    'the URL of a proxy, with http:// or https://, or false, got a string',
  ],
  ['assumeRole', { assumeRole: roleArn }, 'an object with roleArn, got "arn:aws:iam::123456789012:role/logs"'],
  ['assumeRole.roleArn', { assumeRole: {} }, 'an ARN such as "arn:aws:iam::123456789012:role/logs", got undefined'],
  ['assumeRole.roleArn', { assumeRole: { roleArn: 'logs' } }, 'got "logs"'],
  ['assumeRole.role', { assumeRole: { role: 'logs' } }, 'did you mean "assumeRole.roleArn"?'],
  ['assumeRole.externalId', { assumeRole: { roleArn, externalId: 'my shop' } }, 'of 2 to 1224 of a-z A-Z'],
  ['assumeRole.sessionName', { assumeRole: { roleArn, sessionName: 'my shop' } }, 'got "my shop"'],
  [
    'assumeRole.durationSeconds',
    { assumeRole: { roleArn, durationSeconds: 60 } },
    'an integer from 900 to 43200, got 60',
  ],
  ['createMissing', { createMissing: 'yes' }, 'true or false, got "yes"'],
  ['retentionInDays', { retentionInDays: 0 }, 'an integer of at least 1, got 0'],
  ['retentionInDays', { retentionInDays: 1.5 }, 'an integer of at least 1, got 1.5'],
  ['retentionInDays', { retentionInDays: '7' }, 'got "7"'],
  ['tags', { tags: [] }, 'an object, got an array'],
  ['tags.team', { tags: { team: 7 } }, 'a string, got 7'],
  ['kmsKeyId', { kmsKeyId: '' }, 'a string that is not empty, got ""'],
  ['logGroupClass', { logGroupClass: 7 }, 'a string that is not empty, got 7'],
  ['entity', { entity: 'shop' }, 'an object, got "shop"'],
  ['entity.name', { entity: { name: 'shop' } }, 'unknown option "entity.name"'],
  ['entity.keyAttributes', { entity: { keyAttributes: 'Service' } }, 'an object, got "Service"'],
  [
    'entity.keyAttributes.type',
    { entity: { keyAttributes: { type: 'Service', Name: 'shop' } } },
    'did you mean "entity.keyAttributes.Type"?',
  ],
  ['entity.keyAttributes.Name', { entity: { keyAttributes: { Type: 'Service', Name: 1 } } }, 'a string, got 1'],
  [
    'entity.attributes.a',
    { entity: { keyAttributes: { Type: 'Service', Name: 'shop' }, attributes: { a: 1 } } },
    'a string, got 1',
  ],
  ['oversize', { oversize: 'cut' }, '"truncate" or "split" or "drop", got "cut"'],
  ['maxEventBytes', { maxEventBytes: 255 }, 'an integer from 256 to 1048550, got 255'],
  ['maxEventBytes', { maxEventBytes: 1_048_551 }, 'an integer from 256 to 1048550, got 1048551'],
  ['maxBatchBytes', { maxBatchBytes: 1_048_577 }, 'an integer from 1024 to 1048576, got 1048577'],
  ['maxBatchBytes', { maxBatchBytes: 1023 }, 'an integer from 1024 to 1048576, got 1023'],
  ['compression', { compression: 'zstd' }, '"none" or "gzip", got "zstd"'],
  ['logGroup', { logGroup: 'shop' }, 'did you mean "logGroupName"?'],
])('refuses a wrong %s: %o', (option, options, message) => {
  const error = errorOf(options);
  expect(error.option).toBe(option);
  expect(error.message).toContain(message);
});

it('shows no credential in an error', () => {
  const wrongs = [
    { accessKeyId: 'hush', secretAccessKey: 1 },
    { ...secret, sessionToken: ['hush'] },
    'AKIA:hush',
    `{"secretAccessKey":"hush"}`,
  ];
  for (const credentials of wrongs) expect(errorOf({ credentials }).message).not.toContain('hush');
  for (const secretAccessKey of [4711, 4711n])
    expect(errorOf({ credentials: { accessKeyId: 'AKIA', secretAccessKey } }).message).not.toContain('4711');
});

it.each([
  ['me:hush@localhost:4566', '…@localhost:4566'],
  ['ftp://me:hush@localhost/', 'ftp://…@localhost/'],
  ['ftp://localhost/?token=hush', 'ftp://localhost/?…'],
])('shows no user, password and query of the endpoint %s', (endpoint, shown) => {
  expect(errorOf({ endpoint }).message).toContain(`got "${shown}"`);
});

it.each<[what: string, options: Partial<CloudWatchOptions>]>([
  ['a group of AWS services', { logGroupName: '/aws/lambda/shop' }],
  ['the longest names', { logGroupName: '#'.repeat(512), logStreamName: '[$ ]'.repeat(128) }],
  ['credentials with a session', { credentials: { ...secret, sessionToken: 'token', expiration: new Date() } }],
  ['credentials that are fetched', { credentials: async () => secret }],
  ['an endpoint', { endpoint: 'http://127.0.0.1:4566', region: 'eu-west-1' }],
  ['a client', { client }],
  [
    'every setting of a new group',
    { retentionInDays: 3653, tags: { team: '', 'Kosten Stelle': 'ä=1' }, kmsKeyId, logGroupClass: 'INFREQUENT_ACCESS' },
  ],
  [
    'settings of a new group that only the service can judge',
    { retentionInDays: 2, tags: {}, kmsKeyId: 'alias/shop', logGroupClass: 'CHEAP' },
  ],
  ['an entity', { entity: { keyAttributes: { Type: 'Service', Name: 'shop' }, attributes: { tier: 'web' } } }],
  ['options that are undefined', { region: undefined, client: undefined, tags: undefined, entity: undefined }],
])('takes %s', (_what, options) => {
  expect(() => createCloudWatch({ logGroupName: 'shop', ...options })).not.toThrow();
});

it('exports the names of its options', () => {
  expect(cloudWatchOptionNames).toContain('logGroupName');
  expect(new Set(cloudWatchOptionNames).size).toBe(cloudWatchOptionNames.length);
});
