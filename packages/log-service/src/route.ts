import { type Batch, enclosePayloads } from '@logferry/core';

/** The members that all logs of a request share. */
export interface LogGroupHead {
  readonly topic: string | undefined;
  readonly source: string;
  readonly tags: Readonly<Record<string, string>>;
}

/** The beginning of the request body, as a JSON object of its own. */
export function routeOf({ topic, source, tags }: LogGroupHead): string {
  return JSON.stringify({
    __topic__: topic,
    __source__: source,
    ...(Object.keys(tags).length > 0 && { __tags__: tags }),
  });
}

/** Makes the request body. */
export function bodyOf(batch: Batch): Uint8Array {
  return enclosePayloads(batch, batch.route.slice(0, -1) + LOGS, END);
}

/** Bytes of a request body before its first log. */
export function baseBytesOf(route: string): number {
  return Buffer.byteLength(route) - 1 + LOGS.length + END.length;
}

const LOGS = ',"__logs__":[';
const END = ']}';
