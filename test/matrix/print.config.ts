import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../../vitest.config.js';

/** `npm run matrix`: one process at a time, and the README prints the times. Nothing is written unless every cell is as promised. */
export default mergeConfig(
  shared,
  defineConfig({
    test: { include: ['matrix/*.test.ts'], maxConcurrency: 1, bail: 1, env: { LOGFERRY_MATRIX: 'print' } },
  }),
);
