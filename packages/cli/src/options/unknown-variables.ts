import { nearestName } from '@logferry/core';
import type { Command } from 'commander';

const PREFIX = 'LOGFERRY_';

/** Shorter names resemble too many others. */
const MIN_CHARS = 5;

/** Says of each variable that is no option of any command, but probably means one: nobody would notice that it is not read. */
export function unknownVariables(program: Command, env: Readonly<Record<string, string | undefined>>): string[] {
  const meanings = meaningsOf(program);
  const names = Object.keys(env).filter((name) => name.startsWith(PREFIX) && env[name] !== '');
  return names.flatMap((name) => {
    const own = name.slice(PREFIX.length);
    if (meanings.get(own) === own) return [];
    const near = meanings.has(own) ? own : own.length < MIN_CHARS ? undefined : nearestName(own, [...meanings.keys()]);
    return near === undefined ? [] : `${name} is not read: did you mean ${PREFIX}${meanings.get(near)}?`;
  });
}

/** Each name of a flag, as in a variable, with the one that is read: not short ones, and none with NO_. */
function meaningsOf(command: Command): Map<string, string> {
  const own = command.options.flatMap(({ short, long, negate }): [string, string][] => {
    if (!long) return [];
    const name = toVariable(long);
    if (negate) return [[name, name.replace('NO_', '')]];
    return short?.startsWith('--')
      ? [
          [toVariable(short), name],
          [name, name],
        ]
      : [[name, name]];
  });
  return new Map([...own, ...command.commands.flatMap((each) => [...meaningsOf(each)])]);
}

function toVariable(flag: string): string {
  return flag.slice(2).replaceAll('-', '_').toUpperCase();
}
