import type { LogRecord } from '@logferry/core';

/** Where a {@link createCloudWatch} destination delivers to, and how. */
export interface CloudWatchOptions {
  /**
   * Log group: 1 to 512 of the characters `a-z A-Z 0-9 . - _ / #`, not starting with `aws/`. May be a template, as
   * `logStreamName`, or a function of the record: other characters that come from records become `-`.
   * @see https://github.com/logferry/logferry/blob/main/docs/routing.md
   */
  readonly logGroupName: string | ((record: LogRecord) => string);
  /**
   * Log stream: up to 512 characters without `:` and `*`. May be a template of `{hostname}`, `{pid}`, `{start}` (start of the
   * process), `{uuid}` (new for each destination), `{level}`, `{date:yyyy-MM-dd}` (any pattern of `yyyy MM dd HH mm`, of the time of
   * the event in UTC), and `{field:tenant.id}`, with a default: `{field:tenant.id|nobody}`. May be a function of the record, which
   * is called for each, with the time that the event ships with. A record for which it throws, or returns no string, is dropped as
   * `unencodable`. @default '{hostname}/{pid}/{start}'
   * @see https://github.com/logferry/logferry/blob/main/docs/routing.md
   */
  readonly logStreamName?: string | ((record: LogRecord) => string) | undefined;
  /**
   * Names group, stream or both for a record: what it returns goes before `logGroupName` and `logStreamName`, which apply where it
   * returns `undefined`. The same rules as for a function there. @default none
   * @see https://github.com/logferry/logferry/blob/main/docs/routing.md
   */
  readonly route?: ((record: LogRecord) => CloudWatchRoute | undefined) | undefined;
  /** AWS region, such as `'us-east-1'`. @default the region that the AWS SDK finds: `AWS_REGION`, or the shared config file */
  readonly region?: string | undefined;
  /**
   * Credentials, or a function that fetches them, and is called again when the service refuses those that it gave.
   * @default those that the AWS SDK's credential chain finds
   */
  readonly credentials?: CloudWatchCredentials | (() => Promise<CloudWatchCredentials>) | undefined;
  /**
   * Name of a profile in the shared config and credentials files: its credentials, region and other settings are used. Needs the
   * package `@aws-sdk/credential-providers`. Not beside `credentials`. @default `AWS_PROFILE`, as one of the chain's sources
   */
  readonly profile?: string | undefined;
  /**
   * A role to write the logs with. It is assumed by the credentials of `credentials`, of `profile`, or of the AWS SDK's chain, and
   * assumed anew before its credentials expire. Needs the package `@aws-sdk/credential-providers`. @default none
   */
  readonly assumeRole?: CloudWatchRole | undefined;
  /**
   * URL of an HTTP proxy for all requests to the service, and for those to STS and SSO for credentials, with user name and password
   * if it wants them: `'http://user:password@proxy.example:3128'`. `false` uses none.
   * @default the environment's: `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, also in lower case
   */
  readonly proxy?: string | false | undefined;
  /** URL of the service. @default the region's, or `AWS_ENDPOINT_URL_CLOUDWATCH_LOGS` */
  readonly endpoint?: string | undefined;
  /**
   * A `CloudWatchLogsClient` of your own, in place of all options of the connection before. It keeps its settings, its
   * retries and its middleware, gets the events in its commands, and is never destroyed. A batch costs several times as much
   * as with our own client, which makes the body without the SDK. @default a client of our own
   */
  readonly client?: CloudWatchClient | undefined;
  /** Creates the log stream and the log group if they do not exist. @default true */
  readonly createMissing?: boolean | undefined;
  /**
   * Retention of a log group that is created, in days: 1, 3, 5, 7, 14, 30 or another value that the service takes.
   * @default the events never expire
   */
  readonly retentionInDays?: number | undefined;
  /** Tags of a log group that is created. @default none */
  readonly tags?: Readonly<Record<string, string>> | undefined;
  /** ARN of the symmetric KMS key of a log group that is created. @default the service's own encryption */
  readonly kmsKeyId?: string | undefined;
  /** Class of a log group that is created. @default 'STANDARD' */
  readonly logGroupClass?: 'STANDARD' | 'INFREQUENT_ACCESS' | 'DELIVERY' | (string & {}) | undefined;
  /** The workload that the events belong to, for the console's "Explore related". @default none */
  readonly entity?: CloudWatchEntity | undefined;
  /**
   * Treatment of a message that is too large: `'truncate'` shortens it (JSON stays JSON), `'split'` makes numbered parts of
   * it, `'drop'` drops it as `too-large`. A message in embedded metric format is never altered, but dropped.
   * @default 'truncate'
   */
  readonly oversize?: 'truncate' | 'split' | 'drop' | undefined;
  /**
   * `'gzip'` compresses each request body that gets smaller by it. Saves network traffic, but neither quota nor cost: the
   * service counts bytes before compression. Amazon's own agent does it; the API reference does not mention it.
   * @default 'none'
   */
  readonly compression?: 'none' | 'gzip' | undefined;
  /** Largest message, in bytes of UTF-8, from 256. Lowers the service's limit, never raises it. @default 1_048_550 */
  readonly maxEventBytes?: number | undefined;
  /**
   * Most bytes in a batch, as the service counts them: bytes of UTF-8, and 26 for each event. From 1024. Lowers the
   * service's limit, never raises it. A message is never larger than a batch. @default 1_048_576
   */
  readonly maxBatchBytes?: number | undefined;
}

/** The names of all {@link CloudWatchOptions}. */
export const cloudWatchOptionNames: readonly (keyof CloudWatchOptions)[] = Object.keys({
  logGroupName: true,
  logStreamName: true,
  route: true,
  region: true,
  credentials: true,
  profile: true,
  assumeRole: true,
  proxy: true,
  endpoint: true,
  client: true,
  createMissing: true,
  retentionInDays: true,
  tags: true,
  kmsKeyId: true,
  logGroupClass: true,
  entity: true,
  oversize: true,
  compression: true,
  maxEventBytes: true,
  maxBatchBytes: true,
} satisfies Record<keyof CloudWatchOptions, true>) as (keyof CloudWatchOptions)[];

/** The result of the option `route`. */
export interface CloudWatchRoute {
  readonly logGroupName?: string | undefined;
  readonly logStreamName?: string | undefined;
}

/** The method of a `CloudWatchLogsClient` that the destination calls. No type of the AWS SDK, which may not be installed. */
export interface CloudWatchClient {
  send(command: never, options: { readonly abortSignal: AbortSignal }): Promise<unknown>;
}

/** AWS credentials, as the AWS SDK's providers return them. */
export interface CloudWatchCredentials {
  /** Id of the access key. */
  readonly accessKeyId: string;
  /** The secret of the access key. */
  readonly secretAccessKey: string;
  /** Token of temporary credentials. @default none */
  readonly sessionToken?: string | undefined;
  /** Time at which a function is called again for new credentials. @default never */
  readonly expiration?: Date | undefined;
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
export interface CloudWatchRole {
  /** ARN of the role: `'arn:aws:iam::123456789012:role/logs'`. */
  readonly roleArn: string;
  /** The secret that the trust policy of the role may ask for: 2 to 1224 characters. @default none */
  readonly externalId?: string | undefined;
  /** Name of the session, which CloudTrail shows: 2 to 64 of `a-z A-Z 0-9 _ + = , . @ -`. @default 'logferry' */
  readonly sessionName?: string | undefined;
  /** Life of the credentials, in seconds: 900 to 43,200, and at most what the role allows. @default 3600 */
  readonly durationSeconds?: number | undefined;
}

/** https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_Entity.html */
export interface CloudWatchEntity {
  /** The service takes 2 to 4 of them, with values of 1 to 512 characters. */
  readonly keyAttributes: {
    readonly Type?: string | undefined;
    readonly ResourceType?: string | undefined;
    readonly Identifier?: string | undefined;
    readonly Name?: string | undefined;
    readonly Environment?: string | undefined;
  };
  /** The service takes up to 10, with names of 1 to 256 characters and values of 1 to 512. @default none */
  readonly attributes?: Readonly<Record<string, string>> | undefined;
}
