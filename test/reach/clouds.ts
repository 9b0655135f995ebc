import { startCloudWatch, startLogService } from '@logferry/emulators';
import { expect } from 'vitest';

/** A record as it was stored, with the text under the name that its framework gives it. */
type StoredRecord = Readonly<Record<string, unknown>>;

/** A strict CloudWatch Logs and a strict Log Service. */
export interface Clouds {
  /** Says to a child process where they are, with keys. */
  readonly env: Readonly<Record<string, string>>;
  /** All records that arrived: those of CloudWatch Logs, and those of Log Service, each in order of arrival. */
  records(): readonly StoredRecord[];
  /** The texts of the records that arrived since the last call, sorted. */
  take(): readonly string[];
  /** Stops both. Expects that no request broke a rule. */
  close(): Promise<void>;
}

export async function startClouds(): Promise<Clouds> {
  const cloudWatch = await startCloudWatch({ strict: true });
  const logService = await startLogService({ strict: true });
  const { endpoint, project, logstore } = logService.target;
  const stored = (): readonly (readonly StoredRecord[])[] => [
    cloudWatch.events().map(({ message }) => parse(message)),
    logService.events().map(({ fields }) => fields),
  ];
  let taken: readonly number[] = [0, 0];
  return {
    env: {
      ...cloudWatch.env,
      ...logService.env,
      SLS_ENDPOINT: endpoint,
      SLS_REGION: logService.region,
      SLS_PROJECT: project,
      SLS_LOGSTORE: logstore,
    },
    records: () => stored().flat(),
    take() {
      const all = stored();
      const fresh = all.flatMap((records, cloud) => records.slice(taken[cloud]));
      taken = all.map(({ length }) => length);
      return fresh.map(({ message, msg }) => String(message ?? msg)).sort();
    },
    async close() {
      await Promise.all([cloudWatch.close(), logService.close()]);
      expect([...cloudWatch.stats().violations, ...logService.stats().violations]).toEqual([]);
    },
  };
}

/** A line that is no JSON object is the text of a record. */
function parse(message: string): StoredRecord {
  try {
    return Object(JSON.parse(message));
  } catch {
    return { message };
  }
}
