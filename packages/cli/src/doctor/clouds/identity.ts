import { type Finding, failed, ok, warning } from '../finding.js';

/** Credentials, without their secrets. */
interface Found {
  readonly kind: string;
  readonly accessKeyId: string | undefined;
  readonly expiration: Date | undefined;
}

/** States where credentials come from, whose they are, and when they end. */
export function credentialsFinding({ kind, accessKeyId, expiration }: Found, remedy: string): Finding {
  const text = accessKeyId === undefined ? kind : `${kind}, key ${maskedKey(accessKeyId)}`;
  if (!expiration) return ok(text);
  const leftMs = expiration.getTime() - Date.now();
  const end = expiration.toISOString();
  if (leftMs <= 0) return failed(`${text}, expired at ${end}`, remedy);
  const minutes = Math.ceil(leftMs / 60_000);
  const left = `${text}, until ${end} (${minutes} min)`;
  return minutes <= SOON_MINUTES ? warning(left, remedy) : ok(left);
}

/** Enough for people to tell their keys apart: `AKIA…ABCD`. */
export function maskedKey(accessKeyId: string): string {
  return accessKeyId.length < MIN_SHOWN ? '…' : `${accessKeyId.slice(0, SHOWN)}…${accessKeyId.slice(-SHOWN)}`;
}

const SHOWN = 4;
/** Of a shorter one too much would be seen. */
const MIN_SHOWN = 12;

const SOON_MINUTES = 5;
