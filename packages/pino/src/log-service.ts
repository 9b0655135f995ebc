import { splitOptions, withHooks } from '@logferry/core';
import {
  type AlibabaCredentialConfig,
  assertCredentialsInstalled,
  createLogService,
  type LogServiceAccessKey,
  type LogServiceOptions,
  logServiceOptionNames,
  otherLogServiceClients,
} from '@logferry/log-service';
import { loudWithoutAwait } from './forgotten-await.js';
import { type DestinationStream, destinationStream, type StreamOptions, streamOptionNames } from './stream.js';
import { withoutHostKeys } from './worker.js';

/** Options of a stream in the application's own thread. */
export interface LogServiceStreamOptions extends LogServiceOptions, StreamOptions {}

/** Options of `pino.transport()`. It clones them into a worker thread: functions, and objects with methods, are refused, but see `hooks`. */
export interface LogServiceTargetOptions
  extends Omit<
    LogServiceStreamOptions,
    'logstore' | 'topic' | 'tags' | 'route' | 'credentials' | 'fetch' | 'transform' | 'onError' | 'onDrop'
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
  readonly transform?: undefined;
  readonly onError?: undefined;
  readonly onDrop?: undefined;
}

/**
 * Makes a stream to Alibaba Cloud Log Service, in the application's own thread: `pino(logServiceStream(options))`. Throws `ConfigError`
 * for wrong options. If `credentials` need the package `@alicloud/credentials` and it is missing, that is told at the first delivery, as
 * `MISCONFIGURED`.
 */
export function logServiceStream(options: LogServiceStreamOptions): DestinationStream {
  const given = withoutHostKeys(options);
  const [own, rest] = splitOptions(given, logServiceOptionNames, streamOptionNames, otherLogServiceClients);
  return destinationStream({ ...rest, destination: createLogService(own) });
}

/**
 * The target of `pino.transport()`. In process, `pino(await logService(options))` is a {@link logServiceStream}, for which the package of
 * its credentials was looked for. Rejects with `ConfigError` for wrong options, and with a `DeliveryError` if `credentials` need
 * the package `@alicloud/credentials` and it is not installed. Where the `await` is missing, pino gets a `ConfigError`.
 */
export default function logService(options: LogServiceStreamOptions): Promise<DestinationStream> {
  return loudWithoutAwait(start(options), 'logService', 'logServiceStream');
}

async function start(options: LogServiceStreamOptions): Promise<DestinationStream> {
  const stream = logServiceStream(await withHooks(options));
  await assertCredentialsInstalled(options.credentials);
  return stream;
}
