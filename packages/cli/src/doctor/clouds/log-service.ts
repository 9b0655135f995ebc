import { type DeliveryError, parseObject } from '@logferry/core';
import {
  assertCredentialsInstalled,
  createLogService,
  type FoundLogstore,
  inspectLogService,
  type LogServiceOptions,
} from '@logferry/log-service';
import { type Finding, failed, ok, skipped } from '../finding.js';
import type { Cloud, Place } from './cloud.js';
import { credentialsFinding } from './identity.js';
import { settingRemedy } from './remedies.js';

/** Throws `ConfigError` for a wrong option. */
export function logService(options: LogServiceOptions): Cloud {
  const inspection = inspectLogService(options);
  const { credentials, region } = options;
  const isSigned = credentials !== undefined;
  return {
    title: 'Log Service',
    proxy: options.proxy,
    ownConnections: options.fetch === undefined ? undefined : 'fetch',
    probe: {
      path: '/logstores/logferry-doctor/track',
      requestHeaders: 'content-type,x-log-apiversion,x-log-bodyrawsize',
      requestIdHeader: 'x-log-requestid',
      isServices: (body) => parseObject(body)?.errorCode !== undefined,
    },
    quotas: QUOTAS,
    createDestination: () => createLogService(options),
    async packages() {
      await assertCredentialsInstalled(credentials);
      // Only a configuration of the package, and no object of it, needs it.
      const { type, getCredential } = Object(credentials) as {
        readonly type?: unknown;
        readonly getCredential?: unknown;
      };
      return ok(
        type !== undefined && getCredential === undefined ? '@alicloud/credentials is installed' : 'none is needed',
      );
    },
    async region() {
      if (!isSigned) return ok('that of the endpoint (web tracking signs nothing)');
      const { region: found } = inspection;
      if (found === undefined) return ok('not named: signatures have version 1 (option "region" gives version 4)');
      return ok(`${found} (${region === undefined ? 'endpoint' : 'option "region"'})`);
    },
    async credentials() {
      const key = await inspection.credentials();
      return key ? credentialsFinding(key, RENEW) : ok('none: web tracking is anonymous');
    },
    url: async () => inspection.url,
    async find(route, signal) {
      return placeOf(await inspection.find(route, signal), options);
    },
    remedyOf: (error) => remedyOf(error, options),
    async close() {
      inspection.close();
    },
  };
}

/** https://www.alibabacloud.com/help/en/sls/product-overview/data-read-and-write */
const QUOTAS =
  'writes: 5 MB/s and 500 requests/s a shard (shards split by themselves, or raise their number); ' +
  '4,096 logs a request, 3 MB by web tracking and 10 MB signed';

const ONLY_BY_WRITE = 'only a write shows it';

const RENEW = 'renew them: a new key of STS, or a source that renews its keys';

/** Web tracking has no request that looks, and a `fetch` of the user's makes those of a destination only. */
function placeOf(found: FoundLogstore, { credentials, fetch, createMissing = false }: LogServiceOptions): Place {
  const isSeen = credentials !== undefined && fetch === undefined;
  if (!isSeen)
    return {
      isAnswered: false,
      access: skipped(ONLY_BY_WRITE),
      target: skipped(`${nameOf(found)}: ${ONLY_BY_WRITE}`),
    };
  const access = ok('Log Service takes the credentials');
  return { isAnswered: true, access, target: targetFinding(found, createMissing) };
}

function targetFinding(found: FoundLogstore, createsMissing: boolean): Finding {
  const { project, logstore, state } = found;
  const where = nameOf(found);
  if (state === 'hidden')
    return skipped(`${where}: the RAM policy does not allow log:GetLogStore, which a transport does not need`);
  if (state === 'there') return ok(`${where}: there`);
  if (createsMissing) return ok(`${where} does not exist: the transport creates it (createMissing)`);
  return failed(`${where} does not exist`, createLogstore(project, logstore));
}

function nameOf({ project, logstore }: FoundLogstore): string {
  return `logstore "${logstore}" of project "${project}"`;
}

function createLogstore(project: string, logstore: string): string {
  return `aliyunlog log create_logstore --project_name=${project} --logstore_name=${logstore}, or set createMissing`;
}

function remedyOf({ code, message }: DeliveryError, { credentials, project, logstore }: LogServiceOptions): string {
  const name = typeof logstore === 'string' ? logstore : 'LOGSTORE';
  switch (code) {
    case 'AUTH':
      if (credentials === undefined)
        return `switch web tracking on (the logstore's attributes in the console; it takes a minute), or give credentials`;
      if (/token .*expired|they had ended/i.test(message)) return RENEW;
      if (/InvalidAccessKeyId|SignatureNotMatch/.test(message))
        return 'check access key ID, its secret and the option "region": the RAM console lists the keys and their state';
      return /no Alibaba Cloud credentials/.test(message)
        ? 'mend the source of the option "credentials", or set ALIBABA_CLOUD_ACCESS_KEY_ID and ALIBABA_CLOUD_ACCESS_KEY_SECRET'
        : 'attach the least policy to the RAM user or role: logferry doctor log-service … --policy json';
    case 'NOT_FOUND':
      return /ProjectNotExist/.test(message)
        ? 'correct the option "project" or "endpoint": a project belongs to one region'
        : credentials === undefined
          ? `correct the option "logstore", or create it with web tracking on: aliyunlog log create_logstore --project_name=${project} --logstore_name=${name} --enable_tracking=true`
          : createLogstore(project, name);
    case 'THROTTLED':
      return 'split the shards of the logstore (its attributes in the console), or ask for a higher quota of the project';
    case 'MISCONFIGURED':
      return settingRemedy(message);
    case 'INVALID':
    case 'TOO_LARGE':
      return 'check maxBatchBytes, and what changes requests on their way';
    default:
      return 'check endpoint and network (outside of the VPC an endpoint with "-intranet" is not reached), and try again';
  }
}
