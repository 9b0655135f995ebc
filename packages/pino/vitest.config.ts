import { defineConfig } from 'vitest/config';

// Some tests wait for a worker that pino gives 10 s to end.
export default defineConfig({ test: { testTimeout: 30_000 } });
