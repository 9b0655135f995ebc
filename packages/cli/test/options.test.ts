import { cloudWatchOptionNames } from '@logferry/cloudwatch';
import { deliveryOptionNames } from '@logferry/core';
import { logServiceOptionNames } from '@logferry/log-service';
import { expect, it } from 'vitest';
import { DELIVERY_NOT_OFFERED } from '../src/options/delivery-specs.js';
import { attributeOf, envOf, flagOf, type OptionSpec, parseValue } from '../src/options/option.js';
import { readOptions } from '../src/options/read-options.js';
import { unknownVariables } from '../src/options/unknown-variables.js';
import { createProgram } from '../src/program.js';
import { shippingSpecsOf } from '../src/targets/target.js';
import { type AnyTarget, targets } from '../src/targets/targets.js';

const [cloudWatch, logService] = targets as unknown as [AnyTarget, AnyTarget];
const specs = shippingSpecsOf(cloudWatch);
const specOf = (name: string): OptionSpec => specs.find(({ path }) => path.join('.') === name) as OptionSpec;

it.each([
  [cloudWatch, cloudWatchOptionNames, ['route', 'credentials', 'client', 'transform']],
  [logService, logServiceOptionNames, ['route', 'fetch', 'transform']],
] as const)(
  'every option of the code is a flag, or a member of the configuration file alone: %#',
  (target, names, fileOnly) => {
    const flags = new Set(shippingSpecsOf(target).map(({ path }) => path[0]));
    const expected = [...new Set<string>([...names, ...deliveryOptionNames])].filter(
      (name) => !DELIVERY_NOT_OFFERED.includes(name),
    );
    expect([...flags, ...fileOnly].sort()).toEqual(expected.sort());
  },
);

it.each([cloudWatch, logService])('no two flags, variables or attributes of a target are the same: %#', (target) => {
  const all = shippingSpecsOf(target);
  for (const nameOf of [flagOf, envOf, attributeOf]) expect(new Set(all.map(nameOf)).size).toBe(all.length);
});

it('flags, variables and attributes have the names of the code', () => {
  const spec = specOf('retry.throttledBaseMs');
  expect([flagOf(spec), envOf(spec), attributeOf(spec)]).toEqual([
    '--retry-throttled-base-ms',
    'LOGFERRY_RETRY_THROTTLED_BASE_MS',
    'retryThrottledBaseMs',
  ]);
});

it('a flag goes before a variable, a variable before the file, member by member', () => {
  const file = {
    name: 'logferry.config.js',
    content: { cloudwatch: { logGroupName: 'file', region: 'file', retry: { baseMs: 1, capMs: 2 } } },
  };
  const env = { LOGFERRY_LOG_GROUP_NAME: 'env', LOGFERRY_RETRY_CAP_MS: '3', LOGFERRY_REGION: '' };
  const { values, sourceOf } = readOptions(specs, { logGroupName: 'flag' }, env, file, 'cloudwatch');
  expect(values).toEqual({ logGroupName: 'flag', region: 'file', retry: { baseMs: 1, capMs: 3 } });
  expect(['logGroupName', 'retry.capMs', 'region', 'retry.baseMs', 'concurrency'].map(sourceOf)).toEqual([
    '--log-group-name',
    'LOGFERRY_RETRY_CAP_MS',
    'logferry.config.js: cloudwatch.region',
    'logferry.config.js: cloudwatch.retry',
    '--concurrency',
  ]);
  expect(file.content.cloudwatch.retry).toEqual({ baseMs: 1, capMs: 2 });
});

it.each([
  ['tags', 'team=shop, tier=1', { team: 'shop', tier: '1' }],
  ['sample', 'debug=0.1,trace=0', { debug: 0.1, trace: 0 }],
  ['redact', 'password, *.token', ['password', '*.token']],
  ['maxBufferBytes', '16_000_000', 16_000_000],
  ['createMissing', 'FALSE', false],
  ['proxy', 'false', false],
  ['entity', '{"keyAttributes":{"Type":"Service"}}', { keyAttributes: { Type: 'Service' } }],
] as const)('the environment gives %s as %s', (name, text, value) => {
  expect(parseValue(specOf(name), text, 'X', true)).toEqual(value);
});

it('a comma in a flag is a part of the value', () => {
  expect(parseValue(specOf('tags'), 'team=a,b', '--tags', false)).toEqual({ team: 'a,b' });
});

it.each([
  ['concurrency', 'many', 'LOGFERRY_X: expected a number, got "many"'],
  ['concurrency', ' ', 'LOGFERRY_X: expected a number, got " "'],
  ['ordered', 'yes', 'LOGFERRY_X: expected true or false, got "yes"'],
  ['tags', 'team', 'LOGFERRY_X: expected name=value, got "team"'],
  ['entity', '{', 'LOGFERRY_X: expected the JSON of an object, got "{"'],
] as const)('refuses %s of %j, and names the variable', (name, text, message) => {
  expect(() => parseValue(specOf(name), text, 'LOGFERRY_X', true)).toThrow(message);
});

it('says of variables that are not read which were probably meant', () => {
  const env = {
    LOGFERRY_LOG_GROUP_NAME: 'a',
    LOGFERRY_GROUP: 'a',
    LOGFERRY_RETRY_MAX_AGE_M: '1',
    LOGFERRY_NO_CREATE_MISSING: 'true',
    LOGFERRY_SINCE: '1h',
    LOGFERRY_DEV: 'http://127.0.0.1:4600',
    LOGFERRY_ENV: 'production',
    LOGFERRY_DEBUG: '1',
    LOGFERRY_OF_ANOTHER_PROGRAM: '1',
    LOGFERRY_STREAM: '',
  };
  expect(unknownVariables(createProgram('1.2.3'), env)).toEqual([
    'LOGFERRY_GROUP is not read: did you mean LOGFERRY_LOG_GROUP_NAME?',
    'LOGFERRY_RETRY_MAX_AGE_M is not read: did you mean LOGFERRY_RETRY_MAX_AGE_MS?',
    'LOGFERRY_NO_CREATE_MISSING is not read: did you mean LOGFERRY_CREATE_MISSING?',
  ]);
});

it('reads every variable that it does not warn of', () => {
  const names = [cloudWatch, logService].flatMap((target) => shippingSpecsOf(target).map(envOf));
  const env = Object.fromEntries(names.map((name) => [name, 'x']));
  expect(unknownVariables(createProgram('1.2.3'), env)).toEqual([]);
});
