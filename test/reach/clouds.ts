import { startCloudWatch, startLogService } from '@logferry/emulators';
import { expect } from 'vitest';

/** The name of a cloud, as the programs of the rows read it. */
export type Cloud = 'cloudwatch' | 'log-service';

/** A strict CloudWatch Logs and a strict Log Service. */
export interface Clouds {
  /** Says to a child process where they are, with keys. */
  readonly env: Readonly<Record<string, string>>;
  /** The texts of the records that arrived since the last call, sorted. */
  take(): readonly string[];
  /** The records themselves, in order of arrival at each cloud. Log Service has text only. */
  takeRecords(): readonly StoredRecord[];
  /** Stops both. Expects that no request broke a rule. */
  close(): Promise<void>;
}

export type StoredRecord = Readonly<Record<string, unknown>>;

/** The text of a record, under the name that its framework gives it. */
export const textOf = ({ message, msg }: StoredRecord): string => String(message ?? msg);

export async function startClouds(): Promise<Clouds> {
  const cloudWatch = await startCloudWatch({ strict: true });
  const logService = await startLogService({ strict: true });
  const { endpoint, project, logstore } = logService.target;
  let taken = { cloudWatch: 0, logService: 0 };
  const takeRecords = (): readonly StoredRecord[] => {
    const messages = cloudWatch.events().map(({ message }) => message);
    const logs = logService.events().map(({ fields }) => fields);
    const fresh = [...messages.slice(taken.cloudWatch).map(parse), ...logs.slice(taken.logService)];
    taken = { cloudWatch: messages.length, logService: logs.length };
    return fresh;
  };
  return {
    env: {
      ...cloudWatch.env,
      ...logService.env,
      SLS_ENDPOINT: endpoint,
      SLS_REGION: logService.region,
      SLS_PROJECT: project,
      SLS_LOGSTORE: logstore,
    },
    take: () => takeRecords().map(textOf).sort(),
    takeRecords,
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
