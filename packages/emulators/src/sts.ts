import { randomUUID } from 'node:crypto';
import { callable, checkOptions, integer, list, number, object, optional, text } from './checks.js';
import { asServiceError, ServiceError } from './cloudwatch/errors.js';
import { AWS_ACCESS_KEY, type Credentials, createVerifier } from './cloudwatch/sigv4.js';
import { type HttpResponse, listen } from './http.js';

/** Options of {@link startSts}. The first three are required. */
export interface StsOptions {
  /** Who may assume the roles. */
  readonly credentials: Credentials;
  /** The roles, with what their trust policies demand. */
  readonly roles: readonly { readonly roleArn: string; readonly externalId?: string | undefined }[];
  /** Called with each session. The server that takes its `credentials` has to be given them. */
  readonly onSession: (session: Session) => void;
  /** @default 'us-east-1' */
  readonly region?: string | undefined;
  /** Life of the credentials, whatever a request asks for, in milliseconds: at most 12 hours. @default as the request asks: 3600 s */
  readonly lifetimeMs?: number | undefined;
}

/** A role that was assumed. */
export interface Session {
  readonly roleArn: string;
  readonly sessionName: string;
  readonly externalId: string | undefined;
  readonly durationSeconds: number;
  readonly credentials: Required<Credentials>;
}

/** A local STS: the operation AssumeRole. */
export interface StsEmulator {
  readonly url: string;
  /** Environment variables that direct the AWS SDKs to this server, with the credentials that may assume the roles. */
  readonly env: Readonly<
    Record<'AWS_ENDPOINT_URL_STS' | 'AWS_REGION' | 'AWS_ACCESS_KEY_ID' | 'AWS_SECRET_ACCESS_KEY', string>
  >;
  /** Sessions so far, oldest first. */
  sessions(): readonly Session[];
  /** Answers all further requests with this error, such as `ServiceUnavailable`, and a status, by default 503; `undefined` ends that. */
  fail(code: string | undefined, status?: number): void;
  close(): Promise<void>;
}

/**
 * Starts a local STS in the query protocol. It checks signatures, the names of sessions, and what the roles demand. Rejects with a
 * TypeError for wrong options.
 */
export async function startSts(options: StsOptions): Promise<StsEmulator> {
  checkOptions<StsOptions>('startSts', options, {
    credentials: AWS_ACCESS_KEY,
    roles: list(object({ roleArn: text, externalId: optional(text) })),
    onSession: callable,
    region: optional(text),
    lifetimeMs: optional(number(0, MAX_DURATION_S * 1000)),
  });
  const { credentials, roles, onSession, region = 'us-east-1', lifetimeMs } = options;
  const verify = createVerifier({ credentials: () => [credentials], region, service: 'sts', clock: Date.now });
  const sessions: Session[] = [];
  let failure: ServiceError | undefined;

  const assume = (input: URLSearchParams): HttpResponse => {
    if (input.get('Action') !== 'AssumeRole' || input.get('Version') !== '2011-06-15')
      throw new ServiceError('InvalidAction', `Could not find operation ${input.get('Action')}`);
    const roleArn = input.get('RoleArn') ?? '';
    const sessionName = input.get('RoleSessionName') ?? '';
    const externalId = input.get('ExternalId') ?? undefined;
    const durationSeconds = Number(input.get('DurationSeconds') ?? 3600);
    if (!SESSION_NAME.test(sessionName))
      throw new ServiceError('ValidationError', `Value '${sessionName}' at 'roleSessionName' is not valid`);
    if (!(durationSeconds >= 900 && durationSeconds <= MAX_DURATION_S))
      throw new ServiceError('ValidationError', `Value '${durationSeconds}' at 'durationSeconds' is not valid`);
    const role = roles.find((each) => each.roleArn === roleArn);
    if (!role || (role.externalId !== undefined && role.externalId !== externalId))
      throw new ServiceError('AccessDenied', `not authorized to perform: sts:AssumeRole on resource: ${roleArn}`, 403);
    const number = sessions.length + 1;
    const session = {
      ...{ roleArn, sessionName, externalId, durationSeconds },
      credentials: {
        accessKeyId: `ASIASESSION${number}`,
        secretAccessKey: randomUUID(),
        sessionToken: `session-${number}-${randomUUID()}`,
        expiration: new Date(Date.now() + (lifetimeMs ?? durationSeconds * 1000)),
      },
    };
    sessions.push(session);
    onSession(session);
    return { status: 200, headers: XML, body: sessionXml(session) };
  };

  const server = await listen({ host: '127.0.0.1', port: 0 }, async (request) => {
    try {
      if (failure) throw failure;
      await verify(request, () => {});
      return assume(new URLSearchParams(request.body.toString()));
    } catch (thrown) {
      const { code, message, status } = asServiceError(thrown);
      return { status, headers: XML, body: errorXml(code, message) };
    }
  });
  return {
    url: server.url,
    env: {
      AWS_ENDPOINT_URL_STS: server.url,
      AWS_REGION: region,
      AWS_ACCESS_KEY_ID: credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
    },
    sessions: () => [...sessions],
    fail(code, status = 503) {
      optional(text)('fail: code', code);
      integer(400, 599)('fail: status', status);
      failure = code === undefined ? undefined : new ServiceError(code, `a ${code} for the test`, status);
    },
    close: server.close,
  };
}

/** https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html */
const MAX_DURATION_S = 43_200;
const SESSION_NAME = /^[\w+=,.@-]{2,64}$/;

const XML = { 'content-type': 'text/xml' };
const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/';

function sessionXml({ roleArn, sessionName, credentials }: Session): string {
  const { accessKeyId, secretAccessKey, sessionToken, expiration } = credentials;
  const arn = `${roleArn.replace(':iam:', ':sts:').replace(':role/', ':assumed-role/')}/${sessionName}`;
  return `<AssumeRoleResponse xmlns="${NAMESPACE}">
  <AssumeRoleResult>
    <AssumedRoleUser><Arn>${arn}</Arn><AssumedRoleId>AROATEST:${sessionName}</AssumedRoleId></AssumedRoleUser>
    <Credentials>
      <AccessKeyId>${accessKeyId}</AccessKeyId>
      <SecretAccessKey>${secretAccessKey}</SecretAccessKey>
      <SessionToken>${sessionToken}</SessionToken>
      <Expiration>${expiration?.toISOString()}</Expiration>
    </Credentials>
  </AssumeRoleResult>
  <ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata>
</AssumeRoleResponse>`;
}

function errorXml(code: string, message: string): string {
  const text = message.replace(/[<&]/g, (sign) => `&#${sign.charCodeAt(0)};`);
  return `<ErrorResponse xmlns="${NAMESPACE}">
  <Error><Type>Sender</Type><Code>${code}</Code><Message>${text}</Message></Error>
  <RequestId>${randomUUID()}</RequestId>
</ErrorResponse>`;
}
