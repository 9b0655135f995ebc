import { startCloudWatch, startLogService } from '@logferry/emulators';
import { expect } from 'vitest';

/** A strict CloudWatch Logs and a strict Log Service. */
export interface Clouds {
  /** Says to a child process where they are, with keys. */
  readonly env: Readonly<Record<string, string>>;
  /** The texts of the records that arrived since the last call, sorted. */
  take(): readonly string[];
  /** Stops both. Expects that no request broke a rule. */
  close(): Promise<void>;
}

export async function startClouds(): Promise<Clouds> {
  const cloudWatch = await startCloudWatch({ strict: true });
  const logService = await startLogService({ strict: true });
  const { endpoint, project, logstore } = logService.target;
  let taken = { cloudWatch: 0, logService: 0 };
  return {
    env: {
      ...cloudWatch.env,
      ...logService.env,
      SLS_ENDPOINT: endpoint,
      SLS_REGION: logService.region,
      SLS_PROJECT: project,
      SLS_LOGSTORE: logstore,
    },
    take() {
      const messages = cloudWatch.events().map(({ message }) => message);
      const logs = logService.events().map(({ fields }) => fields);
      const fresh = [...messages.slice(taken.cloudWatch).map(parse), ...logs.slice(taken.logService)];
      taken = { cloudWatch: messages.length, logService: logs.length };
      return fresh.map(({ message, msg }) => String(message ?? msg)).sort();
    },
    async close() {
      await Promise.all([cloudWatch.close(), logService.close()]);
      expect([...cloudWatch.stats().violations, ...logService.stats().violations]).toEqual([]);
    },
  };
}

/** A line that is no JSON object is the text of a record. */
function parse(message: string): { readonly message?: unknown; readonly msg?: unknown } {
  try {
    return Object(JSON.parse(message));
  } catch {
    return { message };
  }
}
