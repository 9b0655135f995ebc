import type { Action, Call, Context } from './context.js';
import { invalidParameter, logstoreExists, ServiceError } from './errors.js';
import { jsonResponse, readJsonObject, successResponse } from './protocol.js';
import { LOGSTORE_NAME, MAX_LOGSTORES, MAX_SPLIT_SHARD, PAGE_SIZE, SHARD_COUNT, TTL_DAYS } from './rules.js';
import type { Logstore } from './store.js';

/** Creates a logstore, without an index. */
export function createLogStore({ request }: Call, { store, tolerate, now, requestId }: Context): Action {
  const input = readJsonObject(request, tolerate);
  const { logstoreName: name } = input;
  if (typeof name !== 'string' || !LOGSTORE_NAME.test(name)) throw invalidInfo(`store name ${name} is invalid`);
  const autoSplit = readBoolean(input, 'autoSplit');
  const settings = {
    name,
    ttl: readInteger(input, 'ttl', TTL_DAYS),
    shardCount: readInteger(input, 'shardCount', SHARD_COUNT),
    autoSplit,
    maxSplitShard: autoSplit ? readInteger(input, 'maxSplitShard', MAX_SPLIT_SHARD) : 0,
    appendMeta: readBoolean(input, 'appendMeta'),
  };
  const webTracking = readBoolean(input, 'enable_tracking');
  return {
    perform() {
      if (store.logstores.has(name)) throw logstoreExists(name);
      if (store.logstores.size >= MAX_LOGSTORES) throw new ServiceError('ProjectQuotaExceed', 'Project Quota Exceed.');
      store.create(settings, now).webTracking = webTracking;
      return successResponse(requestId, now);
    },
  };
}

/** Describes a logstore. */
export function getLogStore({ logstore }: Call, context: Context): Action {
  const found = context.store.find(logstore);
  return { perform: () => jsonResponse(describe(found), context) };
}

/** Lists the names of logstores, in pages. */
export function listLogStores({ query }: Call, context: Context): Action {
  const part = query.get('logstoreName') ?? '';
  const offset = readParameter(query, 'offset', [0, Number.MAX_SAFE_INTEGER], 0);
  const size = readParameter(query, 'size', PAGE_SIZE, PAGE_SIZE[1]);
  return {
    perform() {
      const names = [...context.store.logstores.keys()].filter((name) => name.includes(part)).toSorted();
      const logstores = names.slice(offset, offset + size);
      return jsonResponse({ count: logstores.length, total: names.length, logstores }, context);
    },
  };
}

function describe(logstore: Logstore): object {
  const { name, ttl, shardCount, autoSplit, maxSplitShard, appendMeta, webTracking, createTime } = logstore;
  const seconds = Math.floor(createTime / 1000);
  return {
    logstoreName: name,
    ttl,
    shardCount,
    enable_tracking: webTracking,
    autoSplit,
    maxSplitShard,
    appendMeta,
    createTime: seconds,
    lastModifyTime: seconds,
  };
}

function readInteger(
  input: Readonly<Record<string, unknown>>,
  member: string,
  [min, max]: readonly [min: number, max: number],
): number {
  const value = input[member];
  if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
    throw invalidInfo(`${member} value is out of range`, `${member} is ${JSON.stringify(value)}, not ${min} to ${max}`);
  }
  return value as number;
}

function readBoolean(input: Readonly<Record<string, unknown>>, member: string): boolean {
  const { [member]: value = false } = input;
  if (typeof value !== 'boolean') throw invalidInfo('logstore info is invalid', `${member} is no boolean`);
  return value;
}

/** An integer in the query. Official clients send absent parameters as empty ones. */
function readParameter(
  query: URLSearchParams,
  name: string,
  [min, max]: readonly [min: number, max: number],
  fallback: number,
): number {
  const text = query.get(name) || String(fallback);
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw invalidParameter(`Invalid parameter ${name}, (${text}].`);
  }
  return value;
}

function invalidInfo(message: string, detail?: string): ServiceError {
  return new ServiceError('LogStoreInfoInvalid', message, 400, detail);
}
