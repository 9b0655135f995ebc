import { SET_CLOCK } from '../finding.js';

/** A word for a POSIX shell, as it stands. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** After a failure that a setting causes, whose message names it. */
export function settingRemedy(message: string): string {
  if (/clock of this machine/.test(message)) return SET_CLOCK;
  return /npm install \S+/.exec(message)?.[0] ?? 'correct the setting that the cause names';
}
