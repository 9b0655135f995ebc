import {
  assertSdkInstalled,
  type CloudWatchCredentials,
  type CloudWatchOptions,
  cloudWatchOptionNames,
  createCloudWatch,
} from '@logferry/cloudwatch';
import { splitOptions, withHooks } from '@logferry/core';
import { loudWithoutAwait } from './forgotten-await.js';
import { otherTransports } from './other-transports.js';
import { type DestinationStream, destinationStream, type StreamOptions, streamOptionNames } from './stream.js';
import { withoutHostKeys } from './worker.js';

/** Options of a stream in the application's own thread. */
export interface CloudWatchStreamOptions extends CloudWatchOptions, StreamOptions {}

/** Options of `pino.transport()`. It clones them into a worker thread: functions and clients are refused, but see `hooks`. */
export interface CloudWatchTargetOptions
  extends Omit<
    CloudWatchStreamOptions,
    'logGroupName' | 'logStreamName' | 'route' | 'client' | 'credentials' | 'transform' | 'onError' | 'onDrop'
  > {
  /** A name or a template, as in the options of a stream. */
  readonly logGroupName: string;
  /** A name or a template, as in the options of a stream. @default '{hostname}/{pid}/{start}' */
  readonly logStreamName?: string | undefined;
  readonly route?: undefined;
  /** Keys of AWS, not a function that fetches them. @default the AWS SDK's credential chain */
  readonly credentials?: CloudWatchCredentials | undefined;
  readonly client?: undefined;
  readonly transform?: undefined;
  readonly onError?: undefined;
  readonly onDrop?: undefined;
}

/**
 * Makes a stream to Amazon CloudWatch Logs, in the application's own thread: `pino(cloudWatchStream(options))`. Throws `ConfigError` for
 * wrong options. A missing AWS SDK is told at the first delivery, as `MISCONFIGURED`.
 */
export function cloudWatchStream(options: CloudWatchStreamOptions): DestinationStream {
  const [own, rest] = splitOptions(withoutHostKeys(options), cloudWatchOptionNames, streamOptionNames, otherTransports);
  return destinationStream({ ...rest, destination: createCloudWatch(own) });
}

/**
 * The target of `pino.transport()`. In process, `pino(await cloudwatch(options))` is a {@link cloudWatchStream}, for which the AWS SDK was
 * looked for. Rejects with `ConfigError` for wrong options, and with `DeliveryError` (`MISCONFIGURED`) when the AWS SDK is not
 * installed. Where the `await` is missing, pino gets a `ConfigError`.
 */
export default function cloudwatch(options: CloudWatchStreamOptions): Promise<DestinationStream> {
  return loudWithoutAwait(start(options), 'cloudwatch', 'cloudWatchStream');
}

async function start(options: CloudWatchStreamOptions): Promise<DestinationStream> {
  const stream = cloudWatchStream(await withHooks(options));
  await assertSdkInstalled(options);
  return stream;
}
