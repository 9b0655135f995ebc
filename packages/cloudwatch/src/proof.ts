/** A response of HTTP, as far as the SDK's handlers have one in common. */
export interface HttpResponse {
  readonly statusCode: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** Bytes, or a stream that the SDK has read. */
  readonly body?: unknown;
  /** False if the body broke off: then its rest is not known. Only our own handler tells that. */
  readonly complete?: boolean;
}

/** A response that claims success, but does not prove that CloudWatch Logs gave it. Has the members of an error of the SDK. */
export class UnprovenError extends Error {
  override readonly name: string = 'UnprovenError';
  readonly $metadata: { readonly httpStatusCode: number | undefined; readonly requestId: string | undefined };
  readonly $response: HttpResponse | undefined;

  constructor(message: string, response?: HttpResponse, requestId?: string) {
    super(message);
    this.$metadata = { httpStatusCode: response?.statusCode, requestId };
    this.$response = response;
  }
}

/**
 * Checks that the service itself says that it carried the request out. Throws `UnprovenError`. The proof is the id of the
 * request, or a member of the operation's output. The SDK makes an output of any JSON object, and even of an empty body, which
 * may be one that broke off before the service named the events that it rejects.
 *
 * `response` is `undefined` if a client of the user's made no request by the SDK. Then an output of the SDK's form suffices.
 */
export function assertProven(output: unknown, members: readonly string[], response: HttpResponse | undefined): void {
  const { $metadata } = (typeof output === 'object' && output !== null ? output : {}) as Partial<SdkOutput>;
  if (typeof $metadata !== 'object' || $metadata === null)
    throw new UnprovenError('the client resolved with no output of the SDK, which has $metadata');
  const { requestId } = $metadata;
  if (response?.complete === false) throw new UnprovenError('the response broke off', response, requestId);
  if (response === undefined || requestId !== undefined) return;
  const { body } = response;
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : undefined;
  const answer = text === undefined ? (output as object) : parse(text);
  const names = Object.entries(answer).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const known = names.filter((name) => members.includes(name));
  if (known.length > 0 && (text === undefined || known.length === names.length)) return;
  throw new UnprovenError('the response has no request id of CloudWatch Logs', response);
}

/** The part of an output that all operations have. */
interface SdkOutput {
  readonly $metadata: { readonly requestId?: string | undefined } | null;
}

function parse(text: string): object {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
