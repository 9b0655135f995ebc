import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';
import { full } from './forms.js';

/** For the suites of all packages. */
export default defineConfig({
  test: {
    setupFiles: [fileURLToPath(new URL('vitest.setup.ts', import.meta.url))],
    // Prints only failures; `scripts/count-tests.mjs` reads the number of passed tests.
    reporters: ['minimal', 'json'],
    outputFile: { json: `test-results/${full ? 'full' : 'short'}.json` },
    // Long enough that no test depends on the speed of the machine.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 20_000 } },
    env: { AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
  },
});
