import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../vitest.config.js';

/** Blocks of code run two at a time: each is a process. */
export default mergeConfig(
  shared,
  defineConfig({ test: { include: ['test/*.test.ts'], maxConcurrency: 2, maxWorkers: 2 } }),
);
