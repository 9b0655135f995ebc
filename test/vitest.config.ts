import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../vitest.config.js';

/** What waits most of its time: chaos, a service that is away, requests that hang, quotas. */
const patient = ['chaos.test.ts', 'soak.test.ts', 'routes.test.ts', 'contract/log-service.test.ts'];
/** What computes meanwhile: time decides nothing here. */
const meanwhile = ['contract/transport.test.ts', 'properties.test.ts'];
const first = [...patient, ...meanwhile];

// First these, all at once. Then bursts and child processes, whose times are measured: never more than two files.
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
            exclude: [...first, '**/node_modules/**'],
            maxWorkers: 2,
            sequence: { groupOrder: 1 },
          },
        },
      ],
    },
  }),
);
