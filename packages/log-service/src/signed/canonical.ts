/** The parts of a request that a signature covers. `headers` has all headers that the signature covers, also `host`. */
export interface SignedParts {
  readonly method: string;
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
}

/** The header with the token of a temporary key. */
export const SECURITY_TOKEN_HEADER = 'x-acs-security-token';

/** Whether both versions of the signature cover a header of this name. */
export function isServiceHeader(name: string): boolean {
  return name.startsWith('x-log-') || name.startsWith('x-acs-');
}

/** Names with their values, sorted by code units of the names. */
export function sortedByName(entries: Iterable<[name: string, value: string]>): [name: string, value: string][] {
  return [...entries].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** Encodes all bytes of a text but letters, digits, and `-_.~`. */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`);
}
