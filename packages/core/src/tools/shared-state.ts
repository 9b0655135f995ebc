/** Node.js defines these globals with their first use, which throws once an application has frozen `globalThis`. */
void [globalThis.AbortController, globalThis.AbortSignal];

/**
 * State that all copies of a package in this thread share, ES module or CommonJS. It has to be asked for when a module is loaded:
 * an application may make `globalThis` inextensible later. Where it is so already, each copy has a state of its own.
 *
 * @param name part of the key in the global registry of symbols
 */
export function sharedState<T extends object>(name: string, make: () => T): T {
  const key = Symbol.for(`logferry.${name}`);
  const holder = globalThis as { [key: symbol]: T | undefined };
  const known = holder[key];
  if (known) return known;
  const made = make();
  // Unlike an assignment this does not throw.
  Reflect.defineProperty(globalThis, key, { value: made });
  return made;
}
