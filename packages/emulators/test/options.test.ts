import { describe, expect, it, onTestFinished } from 'vitest';
import { startCloudWatch, startDev, startLogService, startProxy, startSts } from '../src/index.js';

const START = { startCloudWatch, startDev, startLogService, startProxy, startSts } as const;
const KEY = { accessKeyId: 'id', secretAccessKey: 'hidden' };
const ROLES = [{ roleArn: 'arn:aws:iam::123456789012:role/logs' }];
const STS = { credentials: KEY, roles: ROLES, onSession() {} };

type Name = keyof typeof START;

function start(name: Name, options: unknown): Promise<{ close(): Promise<void> }> {
  return START[name](options as never);
}

const listening = (): number => process.getActiveResourcesInfo().filter((name) => name === 'TCPServerWrap').length;

describe('a wrong option is refused with its name, the expectation and the value, before anything listens', () => {
  it.each<[Name, unknown, string]>([
    ['startCloudWatch', null, 'expected an object with port, host,'],
    ['startCloudWatch', { prot: 1 }, 'prot: unknown name; did you mean "port"?'],
    ['startCloudWatch', { hostname: 'x' }, 'hostname: unknown name; did you mean "host"?'],
    ['startCloudWatch', { colour: 1 }, 'colour: unknown name; known are port, host, region,'],
    ['startCloudWatch', { port: '80x' }, 'port: expected an integer from 0 to 65535, got "80x"'],
    ['startCloudWatch', { port: 65_536 }, 'port: expected an integer from 0 to 65535, got 65536'],
    ['startCloudWatch', { host: '' }, 'host: expected a string that is not empty, got ""'],
    ['startCloudWatch', { region: '' }, 'region: expected a string that is not empty, got ""'],
    ['startCloudWatch', { clock: 5 }, 'clock: expected a function, got 5'],
    ['startCloudWatch', { seed: 'x' }, 'seed: expected an integer from '],
    ['startCloudWatch', { sequenceTokens: 'on' }, 'sequenceTokens: expected "ignored" or "required", got "on"'],
    [
      'startCloudWatch',
      { maxPutsPerSecondPerStream: -1 },
      'maxPutsPerSecondPerStream: expected a number of at least 0, got -1',
    ],
    ['startCloudWatch', { strict: 'yes' }, 'strict: expected true or false, got "yes"'],
    ['startCloudWatch', { credentials: KEY.secretAccessKey }, 'credentials: expected an object with accessKeyId,'],
    [
      'startCloudWatch',
      { credentials: { ...KEY, sessionTokn: 'x' } },
      'credentials.sessionTokn: unknown name; did you mean "sessionToken"?',
    ],
    [
      'startCloudWatch',
      { credentials: { ...KEY, expiration: '2026-01-01' } },
      'credentials.expiration: expected a valid Date, got "2026-01-01"',
    ],
    ['startCloudWatch', { page: 'yes' }, 'page: expected true or false, got "yes"'],
    ['startCloudWatch', { page: true, host: '0.0.0.0' }, 'page: expected a loopback host such as "127.0.0.1",'],
    ['startLogService', { page: 1 }, 'page: expected true or false, got 1'],
    ['startDev', { host: '0.0.0.0' }, 'host: unknown name; did you mean "port"?'],
    ['startDev', { port: 'x' }, 'port: expected an integer from 0 to 65535, got "x"'],
    ['startDev', { region: '' }, 'region: expected a string that is not empty, got ""'],
    ['startDev', { project: 'A' }, 'project: expected a string as '],
    ['startDev', { logstores: [] }, 'logstores: expected an array that is not empty, got an empty array'],
    ['startLogService', { port: -1 }, 'port: expected an integer from 0 to 65535, got -1'],
    ['startLogService', { logstore: 'x' }, 'logstore: unknown name; did you mean "logstores"?'],
    ['startLogService', { logstores: 'web' }, 'logstores: expected an array, got "web"'],
    ['startLogService', { credentials: KEY }, 'credentials.accessKeySecret: expected a string that is not empty'],
    ['startProxy', { port: '80x' }, 'port: expected an integer from 0 to 65535, got "80x"'],
    [
      'startProxy',
      { credentials: 'a:hidden' },
      'credentials: expected an object with username, password, got a string',
    ],
    [
      'startProxy',
      { credentials: { username: 'a', password: 5 } },
      'credentials.password: expected a string that is not empty, got a number',
    ],
    ['startProxy', { resolve: 'x' }, 'resolve: expected a function, got "x"'],
    ['startSts', undefined, 'credentials: expected an object with accessKeyId, secretAccessKey, got undefined'],
    ['startSts', {}, 'credentials: expected an object with accessKeyId, secretAccessKey, got undefined'],
    ['startSts', { ...STS, roles: undefined }, 'roles: expected an array, got undefined'],
    ['startSts', { ...STS, roles: [{ arn: 'x' }] }, 'roles[0].arn: unknown name; known are roleArn, externalId'],
    ['startSts', { ...STS, roles: [{}] }, 'roles[0].roleArn: expected a string that is not empty, got undefined'],
    ['startSts', { ...STS, onSession: undefined }, 'onSession: expected a function, got undefined'],
    ['startSts', { ...STS, lifetimeMs: '1h' }, 'lifetimeMs: expected a number from 0 to 43200000, got "1h"'],
  ])('%s(%o)', async (name, options, message) => {
    const before = listening();
    const error: unknown = await start(name, options).catch((thrown) => thrown);
    expect(error).toBeInstanceOf(TypeError);
    expect(String(error)).toContain(`TypeError: ${name}: ${message}`);
    expect(String(error)).not.toContain('hidden');
    expect(listening()).toBe(before);
  });
});

it('credentials as a client of the cloud has them, with further members, are accepted', async () => {
  const credentials = { ...KEY, sessionToken: undefined, accountId: '123456789012', $source: {} };
  const server = await startCloudWatch({ credentials });
  onTestFinished(() => server.close());
  expect(server.env.AWS_ACCESS_KEY_ID).toBe('id');
});

it('a session of STS is no credentials of CloudWatch Logs: its member of that name is', async () => {
  const server = await startCloudWatch({ credentials: KEY });
  onTestFinished(() => server.close());
  const temporary = { accessKeyId: 'ASIA', secretAccessKey: 's', sessionToken: 't', expiration: new Date() };
  const session = { roleArn: 'r', sessionName: 'web-1', externalId: undefined, credentials: temporary };
  const replace = (next: unknown) => () => server.credentials(next as never);
  expect(replace([KEY, session])).toThrow(
    new TypeError('credentials[1].accessKeyId: expected a string that is not empty, got undefined'),
  );
  expect(replace(undefined)).toThrow(
    new TypeError('credentials: expected an object with accessKeyId, secretAccessKey, got undefined'),
  );
  expect(replace([KEY, session.credentials])).not.toThrow();
});

it('arguments of the members of a server are checked', async () => {
  const [cloudWatch, logService, proxy, sts] = [
    await startCloudWatch(),
    await startLogService(),
    await startProxy(),
    await startSts(STS),
  ];
  onTestFinished(async () => {
    for (const each of [cloudWatch, logService, proxy, sts]) await each.close();
  });
  for (const [call, message] of [
    [
      () => cloudWatch.events({ logGroup: 'x' } as never),
      'events: logGroup: unknown name; did you mean "logGroupName"?',
    ],
    [() => logService.events({ logstores: 'x' } as never), 'events: logstores: unknown name; did you mean "logstore"?'],
    [() => logService.webTracking('web', 'on' as never), 'webTracking: on: expected true or false, got "on"'],
    [() => proxy.answer('hnag' as never), 'answer: status: expected an integer from 200 to 599, got "hnag"'],
    [() => sts.fail('ServiceUnavailable', 5), 'fail: status: expected an integer from 400 to 599, got 5'],
  ] as const)
    expect(call).toThrow(new TypeError(message));
});
