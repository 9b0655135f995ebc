import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CloudWatchOptions } from '@logferry/cloudwatch';
import type { LogServiceOptions } from '@logferry/log-service';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { type PolicyFormat, policyOf, withFoundRegion } from '../../src/doctor/policy.js';
import { isolate } from './support/environment.js';

beforeEach(isolate);

interface Statement {
  readonly Action: string | readonly string[];
  readonly Resource: string;
}

/** The resource of each action that the policy allows. */
function grantsOf(policy: string): Record<string, string> {
  const { Statement } = JSON.parse(policy) as { readonly Statement: readonly Statement[] };
  return Object.fromEntries(
    Statement.flatMap(({ Action, Resource }) => [Action].flat().map((each) => [each, Resource])),
  );
}

describe('IAM', () => {
  const policy = (options: Partial<CloudWatchOptions> = {}, format: PolicyFormat = 'json'): string =>
    policyOf({ cloud: 'cloudwatch', options: { logGroupName: 'shop', region: 'eu-west-1', ...options } }, format);

  it('allows only writing where nothing is created, and reading as a statement of its own', () => {
    expect(
      JSON.parse(policy({ createMissing: false, logStreamName: 'web', retentionInDays: 7, tags: { a: 'b' } })),
    ).toEqual({
      Version: '2012-10-17',
      Statement: [
        {
          Sid: 'WriteRecords',
          Effect: 'Allow',
          Action: ['logs:PutLogEvents'],
          Resource: 'arn:aws:logs:eu-west-1:*:log-group:shop:log-stream:web',
        },
        {
          Sid: 'OptionalTail',
          Effect: 'Allow',
          Action: ['logs:FilterLogEvents'],
          Resource: 'arn:aws:logs:eu-west-1:*:log-group:shop:*',
        },
      ],
    });
  });

  it('allows what the options create, and TagResource by its own form of ARN', () => {
    const group = 'arn:aws:logs:eu-west-1:*:log-group:shop';
    const basic = {
      'logs:PutLogEvents': `${group}:log-stream:*/*/*`,
      'logs:CreateLogStream': `${group}:*`,
      'logs:CreateLogGroup': `${group}:*`,
      'logs:FilterLogEvents': `${group}:*`,
    };
    expect(grantsOf(policy())).toEqual(basic);
    expect(grantsOf(policy({ retentionInDays: 7, tags: { team: 'web' } }))).toEqual({
      ...basic,
      'logs:PutRetentionPolicy': `${group}:*`,
      'logs:TagResource': group,
    });
  });

  it('takes region, account and partition from where they are known', () => {
    const resourceOf = (options: Partial<CloudWatchOptions>): string | undefined =>
      grantsOf(policy({ logStreamName: 'web', ...options }))['logs:PutLogEvents'];
    const assumeRole = { roleArn: 'arn:aws-us-gov:iam::123456789012:role/logs' };
    expect(resourceOf({ region: undefined })).toBe('arn:aws:logs:*:*:log-group:shop:log-stream:web');
    expect(resourceOf({ region: 'cn-north-1' })).toBe('arn:aws-cn:logs:cn-north-1:*:log-group:shop:log-stream:web');
    vi.stubEnv('AWS_REGION', 'us-east-2');
    expect(resourceOf({ region: undefined })).toBe('arn:aws:logs:us-east-2:*:log-group:shop:log-stream:web');
    expect(resourceOf({ assumeRole })).toBe('arn:aws-us-gov:logs:eu-west-1:123456789012:log-group:shop:log-stream:web');
  });

  it('has a pattern for what only a record names, and no other wildcard', () => {
    const resourceOf = (options: Partial<CloudWatchOptions>): string | undefined =>
      grantsOf(policy(options))['logs:PutLogEvents'];
    expect(resourceOf({ logGroupName: '/shop/{field:tenant}', logStreamName: '{level}-a' })).toContain(
      'log-group:/shop/*:log-stream:*-a',
    );
    expect(resourceOf({ logGroupName: () => 'x', logStreamName: 'really? $5' })).toMatch(
      /log-group:\*:log-stream:really\$\{\?\} \$\{\$\}5$/,
    );
    expect(resourceOf({ route: () => ({ logStreamName: 'x' }), logStreamName: 'web' })).toContain(
      'log-group:*:log-stream:*',
    );
  });

  it('makes the same statements as code of Terraform and CDK', () => {
    const terraform = policy({ logStreamName: 'a$b' }, 'terraform');
    expect(terraform).toMatch(/^data "aws_iam_policy_document" "logferry" \{\n {2}statement \{\n/);
    expect(terraform).toContain('actions   = ["logs:CreateLogStream","logs:CreateLogGroup"]');
    expect(terraform).toContain('resources = ["arn:aws:logs:eu-west-1:*:log-group:shop:log-stream:a$${$}b"]');
    const cdk = policy({}, 'cdk');
    expect(cdk).toContain("import { PolicyStatement } from 'aws-cdk-lib/aws-iam';");
    expect(cdk).toContain(`sid: 'WriteRecords',\n    actions: ["logs:PutLogEvents"],`);
    for (const format of ['terraform', 'cdk'] as const)
      for (const action of Object.keys(grantsOf(policy({ retentionInDays: 7 }))))
        expect(policy({ retentionInDays: 7 }, format)).toContain(`"${action}"`);
  });
});

it('is of the region, and so of the partition, of a profile', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'logferry-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'config');
  writeFileSync(file, '[profile china]\nregion = cn-north-1\n');
  vi.stubEnv('AWS_CONFIG_FILE', file);
  const { signal } = new AbortController();
  const arnOf = async (profile: string | undefined): Promise<unknown> => {
    const found = await withFoundRegion({ cloud: 'cloudwatch', options: { logGroupName: 'shop', profile } }, signal);
    return grantsOf(policyOf(found, 'json'))['logs:CreateLogGroup'];
  };
  expect(await arnOf('china')).toBe('arn:aws-cn:logs:cn-north-1:*:log-group:shop:*');
  expect(await arnOf(undefined)).toBe('arn:aws:logs:*:*:log-group:shop:*');
});

it('is of right options only', () => {
  const options = { logGroupName: 'a:b', region: 'eu-west-1' };
  expect(() => policyOf({ cloud: 'cloudwatch', options }, 'json')).toThrow('logGroupName: expected a log group name');
  const target = { endpoint: 'cn-hangzhou.log.aliyuncs.com', project: 'A!', logstore: 'web' };
  expect(() => policyOf({ cloud: 'log-service', options: target }, 'json')).toThrow('project: expected');
});

describe('RAM', () => {
  const target = { endpoint: 'cn-hangzhou.log.aliyuncs.com', project: 'shop', logstore: 'web' };
  const credentials = { accessKeyId: 'LTAItest', accessKeySecret: 'secret' };
  const policy = (options: Partial<LogServiceOptions> = {}, format: PolicyFormat = 'json'): string =>
    policyOf({ cloud: 'log-service', options: { ...target, credentials, ...options } }, format);

  it('allows only writing where nothing is created, and reading as a statement of its own', () => {
    const logstore = 'acs:log:cn-hangzhou:*:project/shop/logstore/web';
    expect(JSON.parse(policy())).toEqual({
      Version: '1',
      Statement: [
        { Effect: 'Allow', Action: ['log:PostLogStoreLogs'], Resource: logstore },
        { Effect: 'Allow', Action: ['log:GetLogStoreLogs'], Resource: logstore },
      ],
    });
  });

  it('allows what the options create', () => {
    const logstores = 'acs:log:cn-hangzhou:*:project/shop/logstore';
    expect(grantsOf(policy({ createMissing: true }))).toHaveProperty(['log:CreateLogStore'], `${logstores}/*`);
    expect(grantsOf(policy({ createMissing: true }))).not.toHaveProperty(['log:CreateIndex']);
    expect(grantsOf(policy({ createMissing: true, index: true }))).toHaveProperty(
      ['log:CreateIndex'],
      `${logstores}/web`,
    );
  });

  it('has a pattern for what is not known', () => {
    const unknown = { endpoint: 'https://logs.example', logstore: 'shop-{field:tenant}' };
    expect(grantsOf(policy(unknown))).toHaveProperty(
      ['log:PostLogStoreLogs'],
      'acs:log:*:*:project/shop/logstore/shop-*',
    );
  });

  it('says that web tracking needs none', () => {
    for (const format of ['json', 'terraform', 'cdk'] as const)
      expect(policy({ credentials: undefined }, format)).toMatch(
        /^(# |\/\/ )?No policy is needed: web tracking is anonymous\./,
      );
  });

  it('wraps the same document for Terraform and ROS CDK', () => {
    const document = JSON.parse(policy());
    const terraform = policy({}, 'terraform');
    const [, heredoc = ''] = /<<-JSON\n([\s\S]*)\n {2}JSON\n/.exec(terraform) ?? [];
    expect(terraform).toContain('resource "alicloud_ram_policy" "logferry"');
    expect(JSON.parse(heredoc)).toEqual(document);
    const cdk = policy({}, 'cdk');
    const [, literal = ''] = /policyDocumentUnchecked = ([\s\S]*?);\n/.exec(cdk) ?? [];
    expect(cdk).toContain("from '@alicloud/ros-cdk-ram'");
    expect(JSON.parse(literal)).toEqual(document);
  });
});
