import type { EncodedEvent, FieldsDestination } from '@logferry/core';
import type { LogServiceEmulator } from '@logferry/emulators';
import protobuf from 'protobufjs';
import { createLogService, type LogServiceOptions } from '../../src/index.js';
import { SHOP } from './records.js';

/** A destination for signed writes that sends nothing. */
export function signedShop(options: Partial<LogServiceOptions> = {}): FieldsDestination {
  return createLogService({ ...SHOP, credentials: { accessKeyId: 'id', accessKeySecret: 'secret' }, ...options });
}

/** The key that an emulator accepts, as the option `credentials`. */
export function keyOf({ env }: LogServiceEmulator) {
  return { accessKeyId: env.ALIBABA_CLOUD_ACCESS_KEY_ID, accessKeySecret: env.ALIBABA_CLOUD_ACCESS_KEY_SECRET };
}

/** A log as an independent decoder reads it. */
export interface DecodedLog {
  readonly seconds: number;
  readonly nanoseconds: number;
  readonly fields: readonly (readonly [key: string, value: string])[];
}

export interface DecodedLogGroup {
  readonly logs: readonly DecodedLog[];
  readonly topic: string | undefined;
  readonly source: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

// https://www.alibabacloud.com/help/en/sls/developer-reference/data-encoding
const { root } = protobuf.parse(
  `
  syntax = "proto2";
  message Log {
    required uint32 Time = 1;
    message Content { required string Key = 1; required string Value = 2; }
    repeated Content Contents = 2;
    optional fixed32 Time_ns = 4;
  }
  message LogTag { required string Key = 1; required string Value = 2; }
  message LogGroup {
    repeated Log Logs = 1;
    optional string Topic = 3;
    optional string Source = 4;
    repeated LogTag LogTags = 6;
  }
`,
  { keepCase: true },
);
const LogGroup = root.lookupType('LogGroup');

interface Pair {
  readonly Key: string;
  readonly Value: string;
}

/** Decodes a body, before compression. Throws if it is not a LogGroup. */
export function decodeLogGroup(body: Uint8Array): DecodedLogGroup {
  const group = LogGroup.toObject(LogGroup.decode(body), { arrays: true }) as {
    readonly Logs: readonly { readonly Time: number; readonly Time_ns: number; readonly Contents: readonly Pair[] }[];
    readonly Topic?: string;
    readonly Source?: string;
    readonly LogTags: readonly Pair[];
  };
  return {
    logs: group.Logs.map(({ Time, Time_ns, Contents }) => ({
      seconds: Time,
      nanoseconds: Time_ns,
      fields: Contents.map(({ Key, Value }) => [Key, Value]),
    })),
    topic: group.Topic,
    source: group.Source,
    tags: Object.fromEntries(group.LogTags.map(({ Key, Value }) => [Key, Value])),
  };
}

/** Decodes the payload of an event: a body with one log. */
export function decodeEvent({ payload }: EncodedEvent): DecodedLog {
  const [log] = decodeLogGroup(payload as Uint8Array).logs;
  if (!log) throw new Error('the payload has no log');
  return log;
}
