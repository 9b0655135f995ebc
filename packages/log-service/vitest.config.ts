import { defineConfig } from 'vitest/config';

// The service is given 3 s after a quota error, and properties take their time on a small machine.
export default defineConfig({ test: { testTimeout: 30_000 } });
