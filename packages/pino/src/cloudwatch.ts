import {
  assertSdkInstalled,
  type CloudWatchCredentials,
  type CloudWatchOptions,
  cloudWatchOptionNames,
  createCloudWatch,
} from '@logferry/cloudwatch';
import { splitOptions } from '@logferry/core';
import { type DestinationStream, destinationStream, type StreamOptions, streamOptionNames } from './stream.js';
import { withoutPinoKeys } from './worker.js';

/** Options of a stream in the application's own thread. */
export interface CloudWatchStreamOptions extends CloudWatchOptions, StreamOptions {}

/** Options of `pino.transport()`. They are cloned into a worker thread, which functions and clients cannot be. */
export interface CloudWatchTargetOptions
  extends Omit<CloudWatchStreamOptions, 'client' | 'credentials' | 'onError' | 'onDrop'> {
  /** Credentials. @default what the AWS SDK's credential chain finds */
  readonly credentials?: CloudWatchCredentials | undefined;
  readonly client?: undefined;
  readonly onError?: undefined;
  readonly onDrop?: undefined;
}

/** A stream to Amazon CloudWatch Logs: a target of `pino.transport()`, and for `pino(await cloudwatch(options))`. */
export default async function cloudwatch(options: CloudWatchStreamOptions): Promise<DestinationStream> {
  const own = withoutPinoKeys(options);
  const [cloudWatchOptions, streamOptions] = splitOptions(own, cloudWatchOptionNames, streamOptionNames);
  const destination = createCloudWatch(cloudWatchOptions);
  await assertSdkInstalled();
  return destinationStream({ ...streamOptions, destination });
}
