import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../../vitest.config.js';

/** `npm run matrix`: runs one process at a time, and writes the times to docs/ends.md if every cell is as promised. */
export default mergeConfig(
  shared,
  defineConfig({
    test: { include: ['matrix/*.test.ts'], maxConcurrency: 1, bail: 1, env: { LOGFERRY_MATRIX: 'print' } },
  }),
);
