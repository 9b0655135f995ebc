import { hostname } from 'node:os';
import {
  addressOf,
  booleanOption,
  ConfigError,
  choiceOption,
  endOfSlice,
  functionOption,
  numberOption,
  objectOption,
  proxyOption,
  refuseUnknownOptions,
  stringOption,
  wrongOption,
} from '@logferry/core';
import { LEVEL_FIELD } from '../encode/fields.js';
import { isValidKey } from '../encode/keys.js';
import type { Oversize } from '../encode/oversize.js';
import { MAX_BATCH_BYTES, MAX_SIGNED_BATCH_BYTES, MAX_TOPIC_BYTES, MIN_LOG_BYTES } from '../limits.js';
import { type Compression, hasZstd } from '../send/compress.js';
import type { LogServiceCredentials } from '../signed/credentials-option.js';
import { regionOf } from '../signed/region.js';
import { type LogServiceFetch, type LogServiceOptions, logServiceOptionNames } from './options.js';
import { otherLogServiceClients } from './other-clients.js';
import { projectUrl } from './project-url.js';
import { createRouting, type Routing } from './routing.js';

/** The options after all checks, with defaults filled in. */
export interface ResolvedLogServiceOptions {
  /** The URL that all requests of the project begin with. */
  readonly origin: string;
  readonly routing: Routing;
  /** Names what decides where records on disk belong, and the form of the payload. Topic, source and tags are in the route. */
  readonly identity: string;
  readonly placeOf: (logstore: string) => Place;
  /** `undefined` for web tracking. */
  readonly signing: Signing | undefined;
  readonly compression: Compression | 'none';
  readonly timeField: string | undefined;
  readonly sequenceField: string | undefined;
  readonly oversize: Oversize;
  readonly maxBatchBytes: number;
  readonly proxy: string | false | undefined;
  readonly fetch: LogServiceFetch | undefined;
}

/** A logstore, and the way to it. */
export interface Place {
  /** The URL that all requests of the project begin with. */
  readonly origin: string;
  readonly logstore: string;
  /** The URL to which batches are posted. */
  readonly url: string;
  /** For messages: `logstore "web" of project "shop" at shop.cn-hangzhou.log.aliyuncs.com:443`. */
  readonly targetLabel: string;
  /** The logstore in a RAM policy: `acs:log:*:*:project/shop/logstore/web`. */
  readonly resource: string;
}

/** The options of signed writes. */
interface Signing {
  readonly credentials: LogServiceCredentials;
  readonly region: string | undefined;
  /** What a missing logstore is created with; `undefined` if it is not. */
  readonly newLogstore: NewLogstore | undefined;
}

/** The settings of a logstore that is created. */
export interface NewLogstore {
  readonly retentionInDays: number;
  readonly shardCount: number;
  readonly index: boolean;
}

/** Checks the options and fills in the defaults. Throws `ConfigError`. */
export function resolveLogServiceOptions(options: LogServiceOptions): ResolvedLogServiceOptions {
  refuseUnknownOptions(objectOption('options', options), logServiceOptionNames, '', otherLogServiceClients);
  const { endpoint, project } = options;
  checkName('project', project, PROJECT_NAME, '3 to 63 of a-z 0-9 -, with a letter or digit at both ends');
  const source = sourceOption(options.source) ?? nameOfHost();
  const routing = createRouting(options, source);
  const origin = projectUrl(endpoint, project);
  const signing = signingOf(options, origin);
  const timeField = fieldOption('timeField', options.timeField, signing ? undefined : 'time');
  const sequenceField = fieldOption('sequenceField', options.sequenceField, signing ? undefined : 'seq');
  if (sequenceField !== undefined && sequenceField === timeField) {
    throw wrongOption('sequenceField', `another name than timeField ("${timeField}")`, sequenceField);
  }
  const urlOf = (logstore: string): string => `${origin}/logstores/${logstore}${signing ? '/shards/lb' : '/track'}`;
  const address = addressOf(new URL(origin));
  const { host, pathname } = new URL(urlOf(routing.logstore ?? ANY_LOGSTORE));
  const maxBatchBytes = { min: 1024, max: signing ? MAX_SIGNED_BATCH_BYTES : MAX_BATCH_BYTES };
  return {
    origin,
    routing,
    identity: JSON.stringify(['log-service', PAYLOAD_FORMAT, project, host + pathname]),
    placeOf: (logstore) => ({
      origin,
      logstore,
      url: urlOf(logstore),
      targetLabel: `logstore "${logstore}" of project "${project}" at ${address}`,
      resource: `acs:log:*:*:project/${project}/logstore/${logstore}`,
    }),
    signing,
    compression: compressionOption(options.compression, signing !== undefined),
    timeField,
    sequenceField,
    oversize: choiceOption('oversize', options.oversize, 'truncate', ['truncate', 'split', 'drop']),
    maxBatchBytes: numberOption('maxBatchBytes', options.maxBatchBytes, MAX_BATCH_BYTES, maxBatchBytes),
    ...connectionOf(options),
  };
}

/** Throws `ConfigError` if topic, source and tags leave no room for a log. */
export function checkRoom(maxBatchBytes: number, baseBytes: number): void {
  const needed = baseBytes + MIN_LOG_BYTES;
  if (maxBatchBytes >= needed) return;
  const expected = `at least ${needed}, since topic, source and tags take ${baseBytes} bytes of each request`;
  throw wrongOption('maxBatchBytes', expected, maxBatchBytes);
}

function connectionOf(options: LogServiceOptions): Pick<ResolvedLogServiceOptions, 'proxy' | 'fetch'> {
  const proxy = proxyOption('proxy', options.proxy);
  const fetch = functionOption('fetch', options.fetch, undefined);
  if (fetch && proxy !== undefined)
    throw new ConfigError('proxy', 'proxy: expected to be absent beside fetch, which makes its own connections');
  return { proxy, fetch };
}

function signingOf(options: LogServiceOptions, origin: string): Signing | undefined {
  const { credentials, region } = options;
  const createMissing = booleanOption('createMissing', options.createMissing, false);
  const newLogstore = {
    retentionInDays: numberOption('retentionInDays', options.retentionInDays, 30, { min: 1, max: 3650 }),
    shardCount: numberOption('shardCount', options.shardCount, 2, { min: 1, max: 100 }),
    index: booleanOption('index', options.index, false),
  };
  if (credentials === undefined) refuseWithout(options, 'credentials', ['region', 'createMissing', ...NEW_LOGSTORE]);
  if (!createMissing) refuseWithout(options, 'createMissing', NEW_LOGSTORE);
  if (credentials === undefined) return undefined;
  if (region !== undefined && (typeof region !== 'string' || !REGION.test(region))) {
    throw wrongOption('region', 'the name of a region, such as "cn-hangzhou"', region);
  }
  return {
    credentials,
    region: region ?? regionOf(new URL(origin).hostname),
    newLogstore: createMissing ? newLogstore : undefined,
  };
}

/** Refuses options that would do nothing. */
function refuseWithout(
  options: LogServiceOptions,
  needed: 'credentials' | 'createMissing',
  names: readonly (keyof LogServiceOptions)[],
): void {
  for (const name of names) {
    const value = options[name];
    if (value !== undefined && value !== false) throw new ConfigError(name, `${name} has no effect without ${needed}`);
  }
}

const NEW_LOGSTORE = ['retentionInDays', 'shardCount', 'index'] as const;

const REGION = /^[a-z\d]+(-[a-z\d]+)+$/;

function compressionOption(value: unknown, isSigned: boolean): Compression | 'none' {
  const choices = [...(isSigned ? ALL_COMPRESSIONS : TRACKING_COMPRESSIONS), 'none'] as const;
  const compression = choiceOption('compression', value, 'lz4', choices);
  if (compression !== 'zstd' || hasZstd()) return compression;
  throw wrongOption('compression', `another one with Node.js ${process.version}: zstd came with 22.15 and 23.8`, value);
}

/** https://www.alibabacloud.com/help/en/sls/developer-reference/data-compression */
const TRACKING_COMPRESSIONS = ['lz4', 'deflate'] as const;
const ALL_COMPRESSIONS = [...TRACKING_COMPRESSIONS, 'zstd'] as const;

/** It changes with the form of the payload of events. Signed payloads have another path. */
const PAYLOAD_FORMAT = 1;

/**
 * Takes the place of the logstore in the identity of a destination whose routes name theirs: records on disk find it although the
 * template has changed. No logstore has this name.
 */
const ANY_LOGSTORE = '*';

/** https://www.alibabacloud.com/help/en/sls/developer-reference/api-createproject */
const PROJECT_NAME = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/;

function checkName(option: string, value: unknown, pattern: RegExp, expected: string): void {
  if (typeof value !== 'string' || !pattern.test(value)) throw wrongOption(option, `a name (${expected})`, value);
}

function sourceOption(value: unknown): string | undefined {
  const text = stringOption('source', value, undefined);
  if (text === undefined || (text.isWellFormed() && Buffer.byteLength(text) <= MAX_TOPIC_BYTES)) return text;
  throw wrongOption('source', `a well-formed string of at most ${MAX_TOPIC_BYTES} bytes`, value);
}

function fieldOption(option: string, value: unknown, fallback: string | undefined): string | undefined {
  const key = stringOption(option, value, fallback);
  if (key === undefined || (isValidKey(key) && key !== LEVEL_FIELD)) return key;
  throw wrongOption(option, `a name of at most 128 bytes that is neither reserved nor "${LEVEL_FIELD}"`, value);
}

/** The service requires a source in every request. */
function nameOfHost(): string {
  const name = hostname().toWellFormed() || 'localhost';
  return name.slice(0, endOfSlice(name, 0, MAX_TOPIC_BYTES));
}
