import { fileURLToPath } from 'node:url';
import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../../vitest.config.js';

/** `npm run test:proxies`: through an nginx of this machine. */
export default mergeConfig(
  shared,
  defineConfig({
    test: {
      maxConcurrency: 8,
      include: ['proxies/*.test.ts'],
      outputFile: { json: 'test-results/proxies.json' },
      // Node.js reads it at the start of a process, so the tests trust the CA as an application does.
      env: { NODE_EXTRA_CA_CERTS: fileURLToPath(new URL('ca.pem', import.meta.url)) },
    },
  }),
);
