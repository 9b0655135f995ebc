import { ConfigError, deliveryOptionNames } from '@logferry/core';
import { describe, expect, it } from 'vitest';
import { createLogService, logServiceOptionNames } from '../src/index.js';
import { otherLogServiceClients } from '../src/options/other-clients.js';
import { SHOP } from './support/records.js';

function refusal(option: string): string {
  try {
    createLogService({ ...SHOP, [option]: 'x' } as never);
  } catch (error) {
    if (ConfigError.is(error)) return error.message;
  }
  throw new Error('no ConfigError');
}

const ours: readonly string[] = [...logServiceOptionNames, ...deliveryOptionNames];

describe.each(Object.entries(otherLogServiceClients))('the options of %s', (client, options) => {
  it.each(Object.entries(options))('%s is an option here, or is answered with what to do', (option, { is, note }) => {
    if (is === undefined) expect(note).toBeTypeOf('string');
    else expect(ours).toContain(is);
    if (logServiceOptionNames.includes(option as never)) return;
    const [subject = '', answer] = refusal(option).split(/ is (?:no option )?/, 2);
    expect(subject).toContain(`[logferry] unknown option "${option}": "${option}" of `);
    expect(subject).toContain(client);
    expect(answer).toMatch(/^"\w+" here|^here: /);
  });
});

it.each([
  [
    'accessKeyId',
    '@alicloud/log, @alicloud/sls20201230, aliyun-sdk, @aliyun-sls/web-sts-plugin is "credentials" here: the member accessKeyId of it',
  ],
  ['secretAccessKey', 'aliyun-sdk is "credentials" here: the member accessKeySecret of it'],
  ['logstoreName', '@alicloud/log is "logstore" here'],
  ['host', '@aliyun-sls/web-track-browser, js-sls-logger is "endpoint" here'],
  ['userAgent', '@alicloud/log, @alicloud/sls20201230 is no option here: leave it out'],
])('%s', (option, answer) => {
  expect(refusal(option)).toBe(`[logferry] unknown option "${option}": "${option}" of ${answer}`);
});

it('packages that share a name have one answer', () => {
  const answers = new Map<string, string | undefined>();
  for (const options of Object.values(otherLogServiceClients))
    for (const [name, { is }] of Object.entries(options)) {
      if (answers.has(name)) expect(is, name).toBe(answers.get(name));
      answers.set(name, is);
    }
});
