import { standardLevels } from '@logferry/core';
import { levelOfWord } from '../lines/level-words.js';

/** The rank of a level on the scale of pino and bunyan, where 40 is a warning; `undefined` for a name that is not known. */
export function rankOfLevel(level: string): number | undefined {
  if (/^\d{1,3}$/.test(level)) return Number(level);
  return standardLevels.get(levelOfWord(level) ?? (level === WINSTON_HTTP ? 'debug' : level));
}

/** Between `info` and `verbose`. As a word of a line it says nothing. */
const WINSTON_HTTP = 'http';
