import { describe, expect, it, vi } from 'vitest';
import { type CloudWatchOptions, createCloudWatch } from '../src/index.js';

/** The identity with this environment and nothing else of AWS. */
function identityOf(environment: Readonly<Record<string, string>>, options: Partial<CloudWatchOptions> = {}): string {
  for (const name of Object.keys(process.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, undefined);
  for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  try {
    return createCloudWatch({ logGroupName: 'shop', ...options }).identity ?? '';
  } finally {
    vi.unstubAllEnvs();
  }
}

const LOCAL = 'http://127.0.0.1:4586/';
const REGION = { AWS_REGION: 'eu-west-1' };

describe('records on disk belong to', () => {
  it.each<[string, Readonly<Record<string, string>>, Partial<CloudWatchOptions>]>([
    ['the option', REGION, { endpoint: LOCAL }],
    ['AWS_ENDPOINT_URL_CLOUDWATCH_LOGS', { ...REGION, AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: LOCAL }, {}],
    ['AWS_ENDPOINT_URL', { ...REGION, AWS_ENDPOINT_URL: LOCAL }, {}],
    [
      'the variable of the service before that of all',
      { ...REGION, AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: LOCAL, AWS_ENDPOINT_URL: 'http://127.0.0.1:1' },
      {},
    ],
  ])('the endpoint of %s', (_, environment, options) => {
    expect(JSON.parse(identityOf(environment, options))).toEqual(['cloudwatch', 1, LOCAL, 'eu-west-1']);
  });

  it('an endpoint without user name, password and query', () => {
    expect(identityOf(REGION, { endpoint: 'http://anne:hush@127.0.0.1:4586/?key=hush' })).toBe(
      identityOf(REGION, { endpoint: LOCAL }),
    );
  });

  it.each<[string, Readonly<Record<string, string>>]>([
    ['without an endpoint', REGION],
    [
      'with one that is to be ignored',
      { ...REGION, AWS_ENDPOINT_URL: LOCAL, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
    ],
  ])('the region of the environment, %s', (_, environment) => {
    expect(JSON.parse(identityOf(environment))).toEqual(['cloudwatch', 1, '', 'eu-west-1']);
  });

  it('the account of a role, and a profile', () => {
    const role = (account: string, name = 'logs') => ({
      assumeRole: { roleArn: `arn:aws:iam::${account}:role/${name}` },
    });
    const [first, second] = ['111111111111', '222222222222'] as const;
    const names = [{}, role(first), role(second), { profile: 'shop' }, { profile: 'web' }].map((options) =>
      identityOf(REGION, options),
    );
    expect(new Set(names).size).toBe(names.length);
    // The role may change: its account may not.
    expect(identityOf(REGION, role(first, 'other'))).toBe(identityOf(REGION, role(first)));
    expect(identityOf(REGION, { proxy: 'http://me:hush@proxy.test' })).toBe(identityOf(REGION));
  });

  it('the profile, without a region', () => {
    expect(identityOf({ AWS_PROFILE: 'shop' })).not.toBe(identityOf({}));
  });
});
