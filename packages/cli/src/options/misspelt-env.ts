import { nearestName } from '@logferry/core';
import { envOf, type OptionSpec } from './option.js';

const PREFIX = 'LOGFERRY_';

/** A variable that is probably meant for an option. */
export interface MisspeltVariable {
  readonly name: string;
  readonly meant: string;
}

/**
 * Variables that begin as those of options do, and are none. Only those that are close to one: others come from elsewhere, such as
 * `LOGFERRY_SERVICE_HOST` from Kubernetes.
 */
export function misspeltVariables(
  specs: readonly OptionSpec[],
  env: Readonly<Record<string, string | undefined>>,
): readonly MisspeltVariable[] {
  const byName = new Map(specs.flatMap((spec) => namesOf(spec).map((name) => [name, envOf(spec)] as const)));
  const known = new Set([...byName.values(), ...OTHERS]);
  return Object.entries(env).flatMap(([name, value]) => {
    if (!name.startsWith(PREFIX) || known.has(name) || !value) return [];
    const nearest = nearestName(name.slice(PREFIX.length), [...byName.keys()]);
    const meant = nearest === undefined ? undefined : byName.get(nearest);
    return meant === undefined ? [] : [{ name, meant }];
  });
}

/** Variables that are no options. */
const OTHERS = ['LOGFERRY_DEV', 'LOGFERRY_DEBUG'];

/** Of an option, without the prefix; also as its short flag would have it. */
function namesOf(spec: OptionSpec): readonly string[] {
  const name = envOf(spec).slice(PREFIX.length);
  return spec.short === undefined ? [name] : [spec.short.toUpperCase(), name];
}
