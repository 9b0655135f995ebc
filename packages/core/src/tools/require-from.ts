import Module from 'node:module';

/** `require` of a module with this path or file: URL. webpack follows the calls of a `createRequire` that is imported by its name, and warns of each. */
export function requireFrom(place: string): NodeJS.Require {
  return Module.createRequire(place);
}
