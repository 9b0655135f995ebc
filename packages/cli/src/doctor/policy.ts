import { type CloudWatchOptions, inspectCloudWatch } from '@logferry/cloudwatch';
import { inspectLogService, type LogServiceOptions } from '@logferry/log-service';
import type { DoctorTarget } from './doctor.js';

/** `json`: the document itself. `terraform`, `cdk`: code that makes it. */
export type PolicyFormat = 'json' | 'terraform' | 'cdk';

/**
 * The least policy that a transport with these options needs, for IAM or RAM, with one statement more that `logferry tail` needs.
 * What is not known before a record comes, or where the transport will run, is `*`. Throws `ConfigError` for a wrong option.
 */
export function policyOf(target: DoctorTarget, format: PolicyFormat): string {
  if (target.cloud === 'cloudwatch') {
    inspectCloudWatch(target.options);
    return iamPolicy(iamStatements(target.options), format);
  }
  inspectLogService(target.options);
  if (target.options.credentials === undefined) return `${COMMENTS[format]}${NO_POLICY}\n`;
  return ramPolicy(ramStatements(target.options), format);
}

/** The same target with the region that the AWS SDK finds, by a profile for example: it decides about the partition, too. */
export async function withFoundRegion(target: DoctorTarget, signal: AbortSignal): Promise<DoctorTarget> {
  if (target.cloud !== 'cloudwatch' || target.options.region !== undefined || target.options.client) return target;
  const inspection = inspectCloudWatch(target.options);
  const region = await inspection.region(signal).catch(() => undefined);
  await inspection.close();
  return region === undefined ? target : { ...target, options: { ...target.options, region } };
}

/** Begins a comment. JSON has none. */
const COMMENTS: Readonly<Record<PolicyFormat, string>> = { json: '', terraform: '# ', cdk: '// ' };

const NO_POLICY =
  'No policy is needed: web tracking is anonymous. A project policy that denies log:PutWebTracking would keep records out.';

interface Statement {
  readonly sid: string;
  readonly actions: readonly string[];
  readonly resource: string;
}

/**
 * The calls that a destination makes, and the form of ARN that each takes: all actions on groups but TagResource take that with `:*`.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
 */
function iamStatements(options: CloudWatchOptions): readonly Statement[] {
  const { createMissing = true, retentionInDays, tags } = options;
  const group = `arn:${partitionOf(options)}:logs:${regionOf(options)}:${accountOf(options)}:log-group:${groupOf(options)}`;
  const create = [
    ...['logs:CreateLogStream', 'logs:CreateLogGroup'],
    ...(retentionInDays === undefined ? [] : ['logs:PutRetentionPolicy']),
  ];
  const hasTags = tags !== undefined && Object.keys(tags).length > 0;
  return [
    { sid: 'WriteRecords', actions: ['logs:PutLogEvents'], resource: `${group}:log-stream:${streamOf(options)}` },
    ...(createMissing ? [{ sid: 'CreateMissing', actions: create, resource: `${group}:*` }] : []),
    ...(createMissing && hasTags ? [{ sid: 'TagCreated', actions: ['logs:TagResource'], resource: group }] : []),
    { sid: 'OptionalTail', actions: ['logs:FilterLogEvents'], resource: `${group}:*` },
  ];
}

/** https://www.alibabacloud.com/help/en/sls/developer-reference/actions-and-resources */
function ramStatements(options: LogServiceOptions): readonly Statement[] {
  const { project, createMissing = false, index = false, region = inspectLogService(options).region ?? '*' } = options;
  const logstores = `acs:log:${region}:*:project/${project}/logstore`;
  const logstore = `${logstores}/${options.route ? '*' : patternOf(options.logstore)}`;
  const creates = createMissing
    ? [{ sid: 'CreateMissing', actions: ['log:CreateLogStore'], resource: `${logstores}/*` }]
    : [];
  const indexes =
    createMissing && index ? [{ sid: 'CreateIndex', actions: ['log:CreateIndex'], resource: logstore }] : [];
  return [
    { sid: 'WriteRecords', actions: ['log:PostLogStoreLogs'], resource: logstore },
    ...creates,
    ...indexes,
    { sid: 'OptionalTail', actions: ['log:GetLogStoreLogs'], resource: logstore },
  ];
}

function iamPolicy(statements: readonly Statement[], format: PolicyFormat): string {
  switch (format) {
    case 'json':
      return toJson({
        Version: '2012-10-17',
        Statement: statements.map(({ sid, actions, resource }) => ({
          Sid: sid,
          Effect: 'Allow',
          Action: actions,
          Resource: resource,
        })),
      });
    case 'terraform':
      return `data "aws_iam_policy_document" "logferry" {\n${statements.map(terraformStatement).join('\n')}}\n`;
    case 'cdk':
      return `import { PolicyStatement } from 'aws-cdk-lib/aws-iam';

/** For a role: statements.forEach((statement) => role.addToPrincipalPolicy(statement)) */
export const statements = [
${statements.map(cdkStatement).join('')}];
`;
  }
}

function terraformStatement({ sid, actions, resource }: Statement): string {
  // Terraform takes "${" for an expression of its own.
  const quoted = JSON.stringify(resource).replaceAll('${', (mark) => `$${mark}`);
  return `  statement {
    sid       = "${sid}"
    actions   = ${JSON.stringify(actions)}
    resources = [${quoted}]
  }
`;
}

function cdkStatement({ sid, actions, resource }: Statement): string {
  return `  new PolicyStatement({
    sid: '${sid}',
    actions: ${JSON.stringify(actions)},
    resources: ${JSON.stringify([resource])},
  }),
`;
}

function ramPolicy(statements: readonly Statement[], format: PolicyFormat): string {
  // RAM has no names of statements.
  const document = toJson({
    Version: '1',
    Statement: statements.map(({ actions, resource }) => ({ Effect: 'Allow', Action: actions, Resource: resource })),
  });
  switch (format) {
    case 'json':
      return document;
    case 'terraform':
      return `resource "alicloud_ram_policy" "logferry" {
  policy_name     = "logferry"
  policy_document = <<-JSON
${document.replace(/^(?=.)/gm, '    ')}  JSON
}
`;
    case 'cdk':
      return `import { ManagedPolicy } from '@alicloud/ros-cdk-ram';
import type { Construct } from '@alicloud/ros-cdk-core';

export function addLogferryPolicy(scope: Construct): ManagedPolicy {
  const policyDocumentUnchecked = ${document.trimEnd().replaceAll('\n', '\n  ')};
  return new ManagedPolicy(scope, 'Logferry', { policyName: 'logferry', policyDocumentUnchecked });
}
`;
  }
}

function toJson(document: object): string {
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

function groupOf({ route, logGroupName }: CloudWatchOptions): string {
  return route ? '*' : patternOf(logGroupName);
}

function streamOf({ route, logStreamName = '{hostname}/{pid}/{start}' }: CloudWatchOptions): string {
  return route ? '*' : patternOf(logStreamName);
}

/** A name as a pattern of IAM: what a token stands for is known only later. */
function patternOf(name: unknown): string {
  if (typeof name !== 'string') return '*';
  const parts = name.split(/\{[^}]*\}/);
  // https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html#policy-vars-specialchars
  return parts.map((part) => part.replace(/[$?]/g, (mark) => `\${${mark}}`)).join('*');
}

function regionOf({ region }: CloudWatchOptions): string {
  return region ?? (process.env.AWS_REGION || '*');
}

/** The role is in the account whose groups it writes to. */
function accountOf({ assumeRole }: CloudWatchOptions): string {
  return assumeRole?.roleArn.split(':')[4] ?? '*';
}

/** https://docs.aws.amazon.com/whitepapers/latest/aws-fault-isolation-boundaries/partitions.html */
function partitionOf(options: CloudWatchOptions): string {
  const region = regionOf(options);
  const known = PARTITIONS.find(([prefix]) => region.startsWith(prefix))?.[1];
  return options.assumeRole?.roleArn.split(':')[1] ?? known ?? 'aws';
}

const PARTITIONS: readonly (readonly [prefix: string, partition: string])[] = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['us-isob-', 'aws-iso-b'],
  ['us-iso-', 'aws-iso'],
  ['eu-isoe-', 'aws-iso-e'],
  ['us-isof-', 'aws-iso-f'],
  ['eusc-', 'aws-eusc'],
];
