import { standardLevels } from '@logferry/core';

/** The rank of a level on the scale of pino and bunyan, where 40 is a warning; `undefined` for a name that is not known. */
export function rankOfLevel(level: string): number | undefined {
  const name = level.toLowerCase();
  const rank = standardLevels.get(name) ?? OTHER_NAMES.get(name);
  return rank ?? (/^\d{1,3}$/.test(name) ? Number(name) : undefined);
}

/** Names of winston, of syslog, and of the loggers of other languages. */
const OTHER_NAMES: ReadonlyMap<string, number> = new Map([
  ['silly', 5],
  ['finest', 5],
  ['finer', 10],
  ['fine', 20],
  ['verbose', 22],
  ['http', 25],
  ['config', 25],
  ['information', 30],
  ['informational', 30],
  ['notice', 35],
  ['warning', 40],
  ['err', 50],
  ['severe', 50],
  ['crit', 60],
  ['critical', 60],
  ['alert', 60],
  ['emerg', 60],
  ['emergency', 60],
  ['panic', 60],
]);
