import type { Action, Call, Context } from './context.js';
import { invalidParameter, tooLarge, webTrackingDenied } from './errors.js';
import { readJsonGroup } from './json.js';
import { type BodyRules, checkVersion, readBody, successResponse } from './protocol.js';
import { MAX_TRACKING_BYTES, MAX_TRACKING_LOGS } from './rules.js';

const BODY: BodyRules = {
  contentType: /^application\/json(?:\s*;\s*charset="?utf-8"?)?$/i,
  // web-track-browser, whose beacons have no other, and js-sls-logger.
  toleratedContentType: /^(?:text\/plain|application\/x-protobuf)(?:\s*;\s*charset="?utf-8"?)?$/i,
  compressions: ['none', 'lz4', 'deflate'],
  maxRawBytes: MAX_TRACKING_BYTES,
  tooLarge: (bytes) => tooLarge(`${bytes} bytes exceed ${MAX_TRACKING_BYTES}`),
};

/** Writes logs without a signature, at the time of their receipt. */
export function putWebTracking(call: Call, context: Context): Action {
  const { request, logstore } = call;
  const { store, stats, tolerate, now, requestId } = context;
  const decode = readBody(request, BODY, tolerate);
  checkQuery(call, context);
  if (!store.find(logstore).webTracking) throw webTrackingDenied();
  const { bytes, compression } = decode();
  const group = readJsonGroup(bytes, 'received', tolerate);
  const { length } = group.logs;
  if (length > MAX_TRACKING_LOGS) throw tooLarge(`${length} logs exceed ${MAX_TRACKING_LOGS}`);
  return {
    group,
    isCompressed: compression !== 'none',
    perform() {
      store.add(group, { logstore, receiveTime: now, requestId });
      stats.stored({ events: length, bytes: bytes.length });
      return successResponse(requestId, now);
    },
  };
}

/** Browsers and mini programs send `?APIVersion=0.6.0` instead of the header, which would cost them a preflight request. */
function checkQuery({ request, query }: Call, { tolerate }: Context): void {
  const version = query.get('APIVersion') ?? undefined;
  if (request.url.includes('?')) {
    const error = invalidParameter(`Expected POST /logstores/{logstore}/track, got ${request.method} ${request.url}`);
    if (version === undefined) throw error;
    tolerate(error);
  }
  checkVersion(request, version);
}
