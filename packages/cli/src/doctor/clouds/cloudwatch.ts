import {
  assertSdkInstalled,
  type CloudWatchOptions,
  createCloudWatch,
  type FoundTarget,
  inspectCloudWatch,
} from '@logferry/cloudwatch';
import type { DeliveryError } from '@logferry/core';
import { type Finding, failed, ok, skipped } from '../finding.js';
import type { Cloud, Place } from './cloud.js';
import { credentialsFinding } from './identity.js';
import { settingRemedy, shellWord } from './remedies.js';

/** Throws `ConfigError` for a wrong option. */
export function cloudWatch(options: CloudWatchOptions): Cloud {
  const inspection = inspectCloudWatch(options);
  return {
    title: 'CloudWatch Logs',
    proxy: options.proxy,
    ownConnections: options.client === undefined ? undefined : 'client',
    probe: {
      path: '/',
      requestHeaders: 'authorization,content-type,x-amz-date,x-amz-target',
      requestIdHeader: 'x-amzn-requestid',
      isServices,
    },
    quotas: QUOTAS,
    createDestination: () => createCloudWatch(options),
    async packages() {
      await assertSdkInstalled(options);
      return ok('@aws-sdk/client-cloudwatch-logs is installed');
    },
    async region(signal) {
      const region = await inspection.region(signal);
      if (region === undefined) return skipped('that of the client, which does not tell it');
      return ok(`${region} (${originOfRegion(options, region)})`);
    },
    async credentials(signal) {
      return credentialsFinding(await inspection.credentials(signal), RENEW);
    },
    url: () => inspection.url(),
    async find(route, signal) {
      return placeOf(await inspection.find(route, signal), options);
    },
    remedyOf: (error) => remedyOf(error, options),
    close: () => inspection.close(),
  };
}

/**
 * An AWS service answers a preflight request with HTTP 200 and its request id. This is its answer to a request that it does not know,
 * where the id got lost on the way.
 */
function isServices(body: string): boolean {
  return /^\s*<UnknownOperationException\s*\/>/.test(body);
}

/** https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/cloudwatch_limits_cwl.html */
const QUOTAS =
  'PutLogEvents: 5,000 requests/s an account and region (can be raised), 1 MiB and 10,000 events a batch, no quota a stream; ' +
  'FilterLogEvents (tail): a few requests/s';

const RENEW = 'renew them: aws sso login, or new temporary keys';

function originOfRegion({ region, client, profile }: CloudWatchOptions, found: string): string {
  const { AWS_REGION, AWS_PROFILE } = process.env;
  if (client) return 'the client';
  if (region !== undefined) return 'option "region"';
  if (AWS_REGION === found) return 'AWS_REGION';
  return `shared config file, profile "${profile ?? (AWS_PROFILE || 'default')}"`;
}

function placeOf(found: FoundTarget, options: CloudWatchOptions): Place {
  const access = ok('CloudWatch Logs takes the credentials');
  return { isAnswered: true, access, target: targetFinding(found, options) };
}

function targetFinding({ group, stream, state }: FoundTarget, options: CloudWatchOptions): Finding {
  const where = `log group "${group}", stream "${stream}"`;
  if (state === 'hidden')
    return skipped(`${where}: IAM does not allow logs:DescribeLogStreams, which a transport does not need`);
  if (state === 'there') return ok(`${where}: there`);
  const hasNoGroup = state === 'no group';
  const missing = hasNoGroup ? `log group "${group}" does not exist` : `log group "${group}" has no stream "${stream}"`;
  if (options.createMissing ?? true) return ok(`${missing}: the transport creates it (createMissing)`);
  return failed(`${missing}, and createMissing is false`, createCommands(group, stream, hasNoGroup, options));
}

/** A stream whose name is not fixed is another one for the next process, or the next record: nobody can create it before. */
function createCommands(group: string, stream: string, hasNoGroup: boolean, options: CloudWatchOptions): string {
  const { region, profile, route, logStreamName } = options;
  const isFixed = !route && typeof logStreamName === 'string' && !/[{}]/.test(logStreamName);
  const where = [
    ...(region === undefined ? [] : ['--region', region]),
    ...(profile === undefined ? [] : ['--profile', profile]),
  ];
  const command = (name: string, ...words: string[]): string =>
    ['aws', 'logs', name, '--log-group-name', group, ...words, ...where].map(shellWord).join(' ');
  const commands = [
    ...(hasNoGroup ? [command('create-log-group')] : []),
    ...(isFixed ? [command('create-log-stream', '--log-stream-name', stream)] : []),
  ];
  if (isFixed) return `${commands.join(' && ')}, or set createMissing`;
  const fixed = 'set createMissing, or logStreamName to one name: this one is made anew';
  return hasNoGroup ? `${commands.join(' && ')}, and ${fixed}` : fixed;
}

function remedyOf({ code, cause, message }: DeliveryError, options: CloudWatchOptions): string {
  const name = String((cause as Error | undefined)?.name ?? '');
  switch (code) {
    case 'AUTH':
      if (/^Expired/.test(name)) return RENEW;
      if (/^AccessDenied/.test(name))
        return 'attach the least policy to the user or role: logferry doctor cloudwatch … --policy json';
      if (/^UnrecognizedClient|^InvalidClientTokenId/.test(name))
        return 'use a key that exists, in this partition: aws sts get-caller-identity shows whether AWS knows it';
      if (/Signature|Skewed/.test(name)) return 'check the secret access key, the region and the clock of this machine';
      return sourceRemedy(options);
    case 'NOT_FOUND':
      return 'create group and stream, or set createMissing';
    case 'THROTTLED':
      return 'ask for a higher quota of PutLogEvents (Service Quotas, L-7E1FAE88), or send fewer, larger batches: a greater maxDelayMs';
    case 'MISCONFIGURED':
      return /no valid AWS region/.test(message) ? SET_REGION : settingRemedy(message);
    case 'INVALID':
    case 'TOO_LARGE':
      return 'check maxBatchBytes and maxEventBytes, and what changes requests on their way';
    default:
      return 'check region, endpoint and network (security groups, VPC endpoint com.amazonaws.REGION.logs), and try again';
  }
}

const SET_REGION = 'set the option "region" or AWS_REGION, or: aws configure set region us-east-1';

/** There are no credentials: their source has to give some. */
function sourceRemedy({ credentials, profile, assumeRole }: CloudWatchOptions): string {
  if (assumeRole)
    return `have its trust policy allow sts:AssumeRole to these credentials; see why it fails: aws sts assume-role --role-session-name test --role-arn ${shellWord(assumeRole.roleArn)}`;
  if (profile !== undefined)
    return `aws sso login --profile ${shellWord(profile)}, or aws configure --profile ${shellWord(profile)}`;
  if (credentials !== undefined) return 'mend the function of the option "credentials"';
  return 'set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the option "profile" (aws configure, aws sso login), or run with a role';
}
