import { existsSync } from 'node:fs';
import { types } from 'node:util';
import type { Destination, DestinationRecipe } from '../contract/destination.js';
import { ConfigError } from '../contract/errors.js';
import { wrongOption } from '../options/checks.js';
import { type Exports, exportOf } from './load-module.js';

/** The way to make the destination in a worker thread. Throws `ConfigError` if it states none, or a wrong one. */
export function recipeOf(destination: Destination): DestinationRecipe {
  const recipe = destination.recipe?.();
  if (!recipe) {
    const message = `thread: the destination "${destination.name}" has no recipe() by which a worker thread could make it`;
    throw new ConfigError('thread', message);
  }
  const { module, factory, options } = recipe;
  if (typeof module !== 'string' || !module.startsWith('file:'))
    throw wrongOption('destination.recipe.module', 'a file: URL, such as import.meta.url', module);
  if (typeof factory !== 'string') throw wrongOption('destination.recipe.factory', 'the name of an export', factory);
  if (typeof options !== 'object') throw wrongOption('destination.recipe.options', 'an object', options);
  if (!existsSync(new URL(module))) {
    const message = `thread: the module from which the worker thread makes the destination is missing: ${module}; keep it out of the bundle (declare its package as external), or leave thread out`;
    throw new ConfigError('thread', message);
  }
  return recipe;
}

/** Makes a destination by its recipe. `exported` are the exports of the recipe's module, by {@link loadModule}. */
export function makeDestination(
  { module, factory, options }: Pick<DestinationRecipe, 'module' | 'factory' | 'options'>,
  exported: Exports,
): Destination {
  const make = exportOf(exported, factory);
  if (typeof make !== 'function') throw new TypeError(`recipe(): ${module} exports no function "${factory}"`);
  return make(options) as Destination;
}

/**
 * Refuses values that `structuredClone` would throw on, or strip of their methods. The error names the path of the value, and
 * `consequence` ends its message.
 */
export function refuseUncloneable(value: unknown, consequence: string, path = '', seen: Set<object> = new Set()): void {
  const refuse = (kind: string): never => {
    throw new ConfigError(path, `${path}: ${kind} ${consequence}`);
  };
  if (typeof value === 'function') refuse('a function');
  if (typeof value === 'symbol') refuse('a symbol');
  if (typeof value !== 'object' || value === null || types.isDate(value) || seen.has(value)) return;
  seen.add(value);
  const prototype: unknown = Object.getPrototypeOf(value);
  const isPlain = Array.isArray(value) || prototype === null || Object.getPrototypeOf(prototype) === null;
  if (!isPlain) refuse('an object with methods');
  for (const [name, part] of Object.entries(value))
    refuseUncloneable(part, consequence, path === '' ? name : `${path}.${name}`, seen);
}
