/** A response of HTTP, as far as the SDK's handlers have one in common. */
export interface HttpResponse {
  readonly statusCode: number;
  /** Bytes, or a stream that the SDK has read. */
  readonly body?: unknown;
}

/** A response that claims success, but does not prove that CloudWatch Logs gave it. */
export class UnprovenError extends Error {
  override readonly name: string = 'UnprovenError';
}

/**
 * Checks that the service itself says that it carried the request out. Throws `UnprovenError`. The proof is the id of the
 * request, or a member of the operation's output. The SDK makes an output of any JSON object, and even of an empty body.
 *
 * `response` is `undefined` if a client of the user's made no request by the SDK. Then an output of the SDK's form suffices.
 */
export function assertProven(output: unknown, members: readonly string[], response: HttpResponse | undefined): void {
  const { $metadata } = (typeof output === 'object' && output !== null ? output : {}) as Partial<SdkOutput>;
  if (typeof $metadata !== 'object' || $metadata === null)
    throw new UnprovenError('the client resolved with no output of the SDK, which has $metadata');
  if (response === undefined || $metadata.requestId !== undefined) return;
  const { statusCode, body } = response;
  const text = body instanceof Uint8Array ? new TextDecoder().decode(body) : undefined;
  const answer = text === undefined ? (output as object) : parse(text);
  const names = Object.entries(answer).flatMap(([name, value]) => (value === undefined ? [] : [name]));
  const known = names.filter((name) => members.includes(name));
  if (known.length > 0 && (text === undefined || known.length === names.length)) return;
  const excerpt = text?.replace(/\s+/g, ' ').trim().slice(0, MAX_EXCERPT_LENGTH);
  throw new UnprovenError(`HTTP ${statusCode} without a request id of CloudWatch Logs${excerpt ? `: ${excerpt}` : ''}`);
}

/** The part of an output that all operations have. */
interface SdkOutput {
  readonly $metadata: { readonly requestId?: string | undefined } | null;
}

const MAX_EXCERPT_LENGTH = 200;

function parse(text: string): object {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
