import type { Action, Call, Context } from './context.js';
import { ServiceError } from './errors.js';
import { jsonResponse, readJsonObject, successResponse } from './protocol.js';
import { FIELD_TYPES } from './rules.js';
import type { FullTextIndex } from './store.js';

/** Creates the index of a logstore: of all fields, of single fields, or both. */
export function createIndex({ request, logstore }: Call, { store, tolerate, now, requestId }: Context): Action {
  const { line, keys } = readJsonObject(request, tolerate);
  if (line === undefined && keys === undefined) throw invalidInfo('the body has neither line nor keys');
  checkLine(line);
  checkKeys(keys);
  const found = store.find(logstore);
  return {
    perform() {
      if (found.index) throw new ServiceError('IndexAlreadyExist', 'Logstore index is already created.');
      found.index = { line, keys, modifyTime: now };
      return successResponse(requestId, now);
    },
  };
}

/** Returns the index of a logstore. */
export function getIndex({ logstore }: Call, context: Context): Action {
  const { index, ttl } = context.store.find(logstore);
  if (!index) throw new ServiceError('IndexConfigNotExist', "index config doesn't exist.");
  const { line, keys, modifyTime } = index;
  const lastModifyTime = Math.floor(modifyTime / 1000);
  return { perform: () => jsonResponse({ index_mode: 'v2', line, keys, storage: 'pg', ttl, lastModifyTime }, context) };
}

function checkLine(line: unknown): asserts line is FullTextIndex | undefined {
  if (line === undefined) return;
  if (!isObject(line)) throw invalidInfo('line is no object');
  checkToken(line.token, 'line.token');
  for (const member of ['caseSensitive', 'chn']) {
    if (!['boolean', 'undefined'].includes(typeof line[member])) throw invalidInfo(`line.${member} is no boolean`);
  }
  if (line.include_keys !== undefined && line.exclude_keys !== undefined) {
    throw invalidInfo('line has both include_keys and exclude_keys');
  }
}

function checkKeys(keys: unknown): asserts keys is Record<string, object> | undefined {
  if (keys === undefined) return;
  if (!isObject(keys)) throw invalidInfo('keys is no object');
  for (const [key, index] of Object.entries(keys)) {
    if (!isObject(index) || !FIELD_TYPES.includes(String(index.type))) {
      throw invalidInfo(`the type of keys.${key} is none of ${FIELD_TYPES.join(', ')}`);
    }
    if (index.token !== undefined) checkToken(index.token, `keys.${key}.token`);
  }
}

function checkToken(token: unknown, path: string): void {
  if (!Array.isArray(token) || !token.every((each) => typeof each === 'string')) {
    throw invalidInfo(`${path} is no list of strings`);
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalidInfo(detail: string): ServiceError {
  return new ServiceError('IndexInfoInvalid', 'Required field token is lacking or of error format.', 400, detail);
}
