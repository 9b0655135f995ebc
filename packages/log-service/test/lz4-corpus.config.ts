import { defineConfig } from 'vitest/config';

/** `npm run lz4-corpus`: 10,000 bodies of log-uniform sizes, and how many blocks of plain lz4js strict decoders refuse. */
export default defineConfig({
  test: {
    include: ['test/lz4.test.ts'],
    testNamePattern: /strict decoders read/,
    env: { LOGFERRY_LZ4_BODIES: '10000' },
  },
});
