/** The member of some credentials that cannot be used, and what it has to be. */
export interface CredentialFault {
  readonly name: string;
  readonly expected: string;
  readonly got: unknown;
}

/** Keys go into headers, which take no line end: that is what remains of a file that a key was read from. */
const KEY = /^[\x21-\x7e]+$/;

/** Checks the form of credentials. Only the service knows whether they are right. */
export function faultOfCredentials(credentials: unknown): CredentialFault | undefined {
  const given = Object(credentials) as Readonly<Record<string, unknown>>;
  for (const name of ['accessKeyId', 'secretAccessKey', 'sessionToken']) {
    const key = given[name];
    // An empty one is none, as to the SDK: a profile may name it without a value.
    if (name === 'sessionToken' && (key === undefined || key === null || key === '')) continue;
    if (typeof key !== 'string' || key === '') return { name, expected: 'a string that is not empty', got: key };
    if (!KEY.test(key)) return { name, expected: 'a string without blanks and line ends', got: key };
  }
  return undefined;
}
