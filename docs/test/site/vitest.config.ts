import { fileURLToPath } from 'node:url';
import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../../../vitest.config.js';

/** `npm run test:docs`: the site that was built, in a Chromium of this machine. */
export default mergeConfig(
  shared,
  defineConfig({
    test: {
      root: fileURLToPath(new URL('../..', import.meta.url)),
      include: ['test/site/*.test.ts'],
      outputFile: { json: 'test-results/docs.json' },
    },
  }),
);
