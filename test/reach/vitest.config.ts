import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../../vitest.config.js';

/** `npm run test:reach`, and `npm run reach`: two rows at a time, since most of them install and build for long. */
export default mergeConfig(
  shared,
  defineConfig({
    test: {
      include: ['reach/*.test.ts'],
      maxConcurrency: 2,
      testTimeout: 600_000,
      outputFile: { json: 'test-results/reach.json' },
    },
  }),
);
