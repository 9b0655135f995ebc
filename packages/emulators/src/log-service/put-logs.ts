import type { Action, Call, Context } from './context.js';
import { bodyTooLarge, invalidParameter, timeOutOfRange } from './errors.js';
import { readJsonGroup } from './json.js';
import type { LogGroup } from './log-group.js';
import { readProtobufGroup } from './protobuf.js';
import { type BodyRules, headerOf, readBody, successResponse } from './protocol.js';
import { MAX_AGE_S, MAX_BODY_BYTES, MAX_FUTURE_S, MAX_LOGS } from './rules.js';

const JSON_TYPE = /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i;
const BODY: BodyRules = {
  contentType: /^application\/x-protobuf$/i,
  // The official clients for Java, Android and browsers; the documentation has Protobuf only.
  toleratedContentType: JSON_TYPE,
  compressions: ['none', 'lz4', 'deflate', 'zstd'],
  maxRawBytes: MAX_BODY_BYTES,
  tooLarge: (bytes) => bodyTooLarge(bytes, MAX_BODY_BYTES),
};
const HASH_KEY = /^[0-9a-f]{32}$/i;

/** Writes logs with a signature, at the times that they state. */
export function putLogs(call: Call, { store, stats, tolerate, now, requestId }: Context): Action {
  const { request, logstore, path, query } = call;
  if (!path.includes('/shards/')) {
    tolerate(invalidParameter(`Expected POST /logstores/{logstore}/shards/lb, got POST ${path}`));
  }
  const key = query.get('key');
  if (key !== null && !HASH_KEY.test(key)) throw invalidParameter(`Invalid parameter key, ${key}.`);
  const decode = readBody(request, BODY, tolerate);
  store.find(logstore);
  const { bytes, compression } = decode();
  const group = JSON_TYPE.test(headerOf(request, 'content-type') ?? '')
    ? readJsonGroup(bytes, 'stated', tolerate)
    : readProtobufGroup(bytes, tolerate);
  if (group.logs.length > MAX_LOGS) tolerate(bodyTooLarge(bytes.length, MAX_BODY_BYTES));
  checkTimes(group, now);
  return {
    group,
    isCompressed: compression !== 'none',
    perform() {
      store.add(group, { logstore, receiveTime: now, requestId });
      stats.stored({ events: group.logs.length, bytes: bytes.length });
      return successResponse(requestId, now);
    },
  };
}

/** One log outside of the permitted time refuses the request. */
function checkTimes({ logs }: LogGroup, now: number): void {
  const nowSeconds = Math.floor(now / 1000);
  for (const [index, { time }] of logs.entries()) {
    const aheadSeconds = (time?.seconds ?? nowSeconds) - nowSeconds;
    if (aheadSeconds < -MAX_AGE_S || aheadSeconds > MAX_FUTURE_S) {
      throw timeOutOfRange(400, `the time of Logs[${index}] is ${aheadSeconds} s ahead of the server's`);
    }
  }
}
