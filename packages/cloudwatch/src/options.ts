import type { CloudWatchClient } from './client.js';

/** Where a {@link createCloudWatch} destination delivers to, and how. */
export interface CloudWatchOptions {
  /** Log group: 1 to 512 of the characters `a-z A-Z 0-9 . - _ / #`, not starting with `aws/`. */
  readonly logGroupName: string;
  /**
   * Log stream: up to 512 characters without `:` and `*`. A template: `{hostname}`, `{pid}`, `{start}` (start of the
   * process), `{uuid}` (new for each destination), `{level}`, and `{date:yyyy-MM-dd}` from `yyyy MM dd HH mm`, which is the
   * time of the event in UTC. @default '{hostname}/{pid}/{start}'
   */
  readonly logStreamName?: string | undefined;
  /** AWS region. @default what the AWS SDK finds: `AWS_REGION`, or the shared config file */
  readonly region?: string | undefined;
  /** Credentials, or a function that fetches them. @default what the AWS SDK's credential chain finds */
  readonly credentials?: CloudWatchCredentials | (() => Promise<CloudWatchCredentials>) | undefined;
  /** URL of the service. @default the region's, or `AWS_ENDPOINT_URL_CLOUDWATCH_LOGS` */
  readonly endpoint?: string | undefined;
  /**
   * A `CloudWatchLogsClient` of your own, in place of `region`, `credentials` and `endpoint`. It keeps its settings, its
   * retries and its middleware, and is never destroyed. @default a client of our own
   */
  readonly client?: CloudWatchClient | undefined;
  /** Creates the log stream, and the log group, when they do not exist. @default true */
  readonly createMissing?: boolean | undefined;
  /** Retention of a log group that is created, in days, one of the service's values. @default the events never expire */
  readonly retentionInDays?: number | undefined;
  /** Tags of a log group that is created: 1 to 50. @default none */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** ARN of the symmetric KMS key of a log group that is created. @default the service's own encryption */
  readonly kmsKeyId?: string | undefined;
  /** Class of a log group that is created. @default 'STANDARD' */
  readonly logGroupClass?: 'STANDARD' | 'INFREQUENT_ACCESS' | 'DELIVERY' | undefined;
  /** What the events tell about, for "Explore related". @default none */
  readonly entity?: CloudWatchEntity | undefined;
  /**
   * What happens to a message that is too large: `'truncate'` shortens it (JSON stays JSON), `'split'` makes numbered
   * parts of it, `'drop'` loses it as `too-large`. A message in embedded metric format is never altered: it is lost.
   * @default 'truncate'
   */
  readonly oversize?: 'truncate' | 'split' | 'drop' | undefined;
  /**
   * `'gzip'` compresses request bodies that it makes smaller, as Amazon's own agent does; the API reference does not mention
   * it. It saves network, and neither quota nor cost: the service counts what comes out. @default 'none'
   */
  readonly compression?: 'none' | 'gzip' | undefined;
  /** Largest message, in bytes of UTF-8, from 256. Lowers the service's limit, never raises it. @default 1_048_550 */
  readonly maxEventBytes?: number | undefined;
  /**
   * Most bytes in a batch, as the service counts them: bytes of UTF-8, and 26 for each event. From 1024; lowers the
   * service's limit, never raises it. A message is never larger than a batch. @default 1_048_576
   */
  readonly maxBatchBytes?: number | undefined;
}

/** The names of the options. */
export const cloudWatchOptionNames: readonly (keyof CloudWatchOptions)[] = [
  'logGroupName',
  'logStreamName',
  'region',
  'credentials',
  'endpoint',
  'client',
  'createMissing',
  'retentionInDays',
  'tags',
  'kmsKeyId',
  'logGroupClass',
  'entity',
  'oversize',
  'compression',
  'maxEventBytes',
  'maxBatchBytes',
];

/** AWS credentials. What the AWS SDK's providers return fits. */
export interface CloudWatchCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string | undefined;
  /** A function is asked again when this time has come. */
  readonly expiration?: Date | undefined;
}

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Entity.html */
export interface CloudWatchEntity {
  /** 2 to 4 of them, values of 1 to 512 characters. */
  readonly keyAttributes: {
    readonly Type?: string | undefined;
    readonly ResourceType?: string | undefined;
    readonly Identifier?: string | undefined;
    readonly Name?: string | undefined;
    readonly Environment?: string | undefined;
  };
  /** Up to 10; names of 1 to 256 characters, values of 1 to 512. */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}
