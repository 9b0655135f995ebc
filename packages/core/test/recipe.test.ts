import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { loadModule } from '../src/thread/load-module.js';
import { makeDestination } from '../src/thread/recipe.js';

const child = (name: string): string => new URL(`children/${name}`, import.meta.url).href;

it.each(['es-module.mjs', 'commonjs.cjs', 'commonjs-without-names.cjs'])(
  'a recipe may name a module of either kind, in any form: %s',
  async (name) => {
    const recipe = { module: child(name), factory: 'createAny', options: { name: 'any' } };
    expect(makeDestination(recipe, await loadModule(recipe.module))).toEqual({ name: 'any' });
  },
);

it('a module that cannot be found is reported by its path', async () => {
  const missing = child('missing.mjs');
  await expect(loadModule(missing)).rejects.toThrow(fileURLToPath(missing));
});

it('a module that throws is reported with its own error', async () => {
  await expect(loadModule(child('throws.mjs'))).rejects.toThrow('thrown by the module');
});
