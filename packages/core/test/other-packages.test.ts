import { expect, it } from 'vitest';
import { ConfigError, refuseUnknownOptions, splitOptions } from '../src/index.js';

const others = {
  'old-transport': {
    awsRegion: { is: 'region' },
    rate: { is: 'maxDelayMs', note: 'in milliseconds' },
    json: { note: 'use a format' },
    constructor: { is: 'region' },
  },
  'older-transport': { rate: { is: 'maxDelayMs' }, maxDelay: { note: 'leave it out' } },
} as const;
const known = ['region', 'maxDelayMs'];

function refusal(act: () => unknown): ConfigError {
  try {
    act();
  } catch (error) {
    if (ConfigError.is(error)) return error;
  }
  throw new Error('no ConfigError');
}

it.each([
  ['awsRegion', '"awsRegion" of old-transport is "region" here'],
  ['rate', '"rate" of old-transport, older-transport is "maxDelayMs" here: in milliseconds'],
  ['json', '"json" of old-transport is no option here: use a format'],
  ['constructor', '"constructor" of old-transport is "region" here'],
  ['maxDelay', '"maxDelay" of older-transport is no option here: leave it out'],
  ['maxDelayms', 'did you mean "maxDelayMs"?'],
  ['toString', 'known are region, maxDelayMs'],
])('an unknown option %s is answered with what it is here, before what is spelt like it', (name, hint) => {
  const error = refusal(() => refuseUnknownOptions({ [name]: 'secret' }, known, '', others));
  expect(error.option).toBe(name);
  expect(error.message).toBe(`[logferry] unknown option "${name}": ${hint}`);
});

it('an option that is known is read, also if another package has its name', () => {
  const elsewhere = { 'old-transport': { region: { is: 'maxDelayMs' } } };
  expect(() => refuseUnknownOptions({ region: 'eu-west-1' }, known, '', elsewhere)).not.toThrow();
});

it('splitOptions answers the names of other packages', () => {
  const options = { region: 'eu-west-1', maxDelayMs: 5, rate: 5 };
  const error = refusal(() => splitOptions(options, ['region'], ['maxDelayMs'], others));
  expect(error.message).toContain('is "maxDelayMs" here: in milliseconds');
});
