import { defineConfig, mergeConfig } from 'vitest/config';
import { full } from '../forms.js';
import shared from '../vitest.config.js';

/** Files that wait most of the time: chaos, outages, requests and threads that hang, quotas. */
const patient = [
  'chaos.test.ts',
  'soak.test.ts',
  'routes.test.ts',
  'slow-network.test.ts',
  'contract/log-service.test.ts',
  'thread/process-end.test.ts',
];
/** Files that compute meanwhile. None of them depends on times. */
const meanwhile = ['contract/transport.test.ts', 'properties.test.ts'];

/** Files without a short form: they start many processes, each of which takes half a second of a core, or ship for long. */
const longOnly = [
  'chaos.test.ts',
  'contract/runners/**',
  'examples.test.ts',
  'fleet/**',
  'hooks.test.ts',
  'hostile.test.ts',
  'lambda/**',
  'load.test.ts',
  'matrix/**',
  'memory.test.ts',
  'packed/**',
  'properties.test.ts',
  'proxy.test.ts',
  'quiet.test.ts',
  'secrets.test.ts',
  'soak.test.ts',
  'spool/**',
  'surroundings.test.ts',
  'tenants.test.ts',
  'thread/endings.test.ts',
  'thread/process-end.test.ts',
];
const first = [...patient, ...meanwhile].filter((file) => full || !longOnly.includes(file));

// These run first, all at once. Then come bursts and child processes, whose times are measured: at most two files at once.
export default mergeConfig(
  shared,
  defineConfig({
    test: {
      maxConcurrency: 2,
      projects: [
        {
          extends: true,
          test: { name: 'first', include: first, maxWorkers: first.length, sequence: { groupOrder: 0 } },
        },
        {
          extends: true,
          test: {
            name: 'then',
            exclude: [...first, ...(full ? [] : longOnly), 'proxies/**', 'reach/**', '**/node_modules/**'],
            maxWorkers: 2,
            sequence: { groupOrder: 1 },
          },
        },
      ],
    },
  }),
);
