import { splitOptions } from '@logferry/core';
import {
  type AlibabaCredentialConfig,
  assertCredentialsInstalled,
  createLogService,
  type LogServiceAccessKey,
  type LogServiceOptions,
  logServiceOptionNames,
} from '@logferry/log-service';
import { type DestinationStream, destinationStream, type StreamOptions, streamOptionNames } from './stream.js';
import { withoutHostKeys } from './worker.js';

/** Options of a stream in the application's own thread. */
export interface LogServiceStreamOptions extends LogServiceOptions, StreamOptions {}

/** Options of `pino.transport()`. It clones them into a worker thread: functions, and objects with methods, are refused. */
export interface LogServiceTargetOptions
  extends Omit<
    LogServiceStreamOptions,
    'logstore' | 'topic' | 'tags' | 'route' | 'credentials' | 'fetch' | 'onError' | 'onDrop'
  > {
  /** A name or a template, as in the options of a stream. */
  readonly logstore: string;
  /** A text or a template, as in the options of a stream. @default none */
  readonly topic?: string | undefined;
  /** Texts or templates, as in the options of a stream. @default none */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  readonly route?: undefined;
  readonly credentials?: LogServiceAccessKey | 'env' | AlibabaCredentialConfig | undefined;
  readonly fetch?: undefined;
  readonly onError?: undefined;
  readonly onDrop?: undefined;
}

/**
 * Makes a stream to Alibaba Cloud Log Service: as a target of `pino.transport()`, or in process by
 * `pino(await logService(options))`. Rejects with `ConfigError` for wrong options, and with a `DeliveryError` if `credentials` need
 * the package `@alicloud/credentials` and it is not installed.
 */
export default async function logService(options: LogServiceStreamOptions): Promise<DestinationStream> {
  const [own, rest] = splitOptions(withoutHostKeys(options), logServiceOptionNames, streamOptionNames);
  const destination = createLogService(own);
  await assertCredentialsInstalled(own.credentials);
  return destinationStream({ ...rest, destination });
}
