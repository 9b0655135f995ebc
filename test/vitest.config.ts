import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Bursts and child processes: one file at a time, so that none is starved on a small machine.
  test: {
    fileParallelism: false,
    testTimeout: 120_000,
    hookTimeout: 30_000,
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  },
});
