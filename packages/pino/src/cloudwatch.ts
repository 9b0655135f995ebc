import {
  assertSdkInstalled,
  type CloudWatchCredentials,
  type CloudWatchOptions,
  cloudWatchOptionNames,
  createCloudWatch,
} from '@logferry/cloudwatch';
import { splitOptions } from '@logferry/core';
import { type DestinationStream, destinationStream, type StreamOptions, streamOptionNames } from './stream.js';
import { withoutHostKeys } from './worker.js';

/** Options of a stream in the application's own thread. */
export interface CloudWatchStreamOptions extends CloudWatchOptions, StreamOptions {}

/** Options of `pino.transport()`. It clones them into a worker thread: functions and clients are refused. */
export interface CloudWatchTargetOptions
  extends Omit<CloudWatchStreamOptions, 'client' | 'credentials' | 'onError' | 'onDrop'> {
  /** Keys of AWS, not a function that fetches them. @default the AWS SDK's credential chain */
  readonly credentials?: CloudWatchCredentials | undefined;
  readonly client?: undefined;
  readonly onError?: undefined;
  readonly onDrop?: undefined;
}

/**
 * Makes a stream to Amazon CloudWatch Logs: as a target of `pino.transport()`, or in process by
 * `pino(await cloudwatch(options))`. Rejects with `ConfigError` for wrong options, and with `DeliveryError` (`MISCONFIGURED`)
 * when the AWS SDK is not installed.
 */
export default async function cloudwatch(options: CloudWatchStreamOptions): Promise<DestinationStream> {
  const [own, rest] = splitOptions(withoutHostKeys(options), cloudWatchOptionNames, streamOptionNames);
  const destination = createCloudWatch(own);
  await assertSdkInstalled(own);
  return destinationStream({ ...rest, destination });
}
