import { fileURLToPath } from 'node:url';
import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../../../../vitest.config.js';

/** `npm run test:page`: the page in a Chromium of this machine. */
export default mergeConfig(
  shared,
  defineConfig({
    test: {
      root: fileURLToPath(new URL('../..', import.meta.url)),
      include: ['test/browser/*.test.ts'],
      // One computes while the other waits for its programs.
      maxWorkers: 2,
      outputFile: { json: 'test-results/page.json' },
    },
  }),
);
