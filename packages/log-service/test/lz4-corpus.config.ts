import { defineConfig } from 'vitest/config';

/** `npm run lz4-corpus`: checks 10,000 bodies of log-uniform sizes, and counts the blocks of lz4js alone that strict decoders refuse. */
export default defineConfig({
  test: {
    include: ['test/lz4.test.ts'],
    testNamePattern: /strict decoders read/,
    env: { LOGFERRY_LZ4_BODIES: '10000' },
  },
});
