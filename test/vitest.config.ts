import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../vitest.config.js';

/** What waits most of its time: a minute of chaos, a minute without a service, requests that hang. */
const patient = ['chaos.test.ts', 'soak.test.ts', 'routes.test.ts'];

// First these, side by side. Then bursts and child processes: one file at a time, so that none is starved on a small machine.
export default mergeConfig(
  shared,
  defineConfig({
    test: {
      maxConcurrency: 2,
      projects: [
        {
          extends: true,
          test: { name: 'patient', include: patient, maxWorkers: patient.length, sequence: { groupOrder: 0 } },
        },
        {
          extends: true,
          test: {
            name: 'busy',
            exclude: [...patient, '**/node_modules/**'],
            fileParallelism: false,
            sequence: { groupOrder: 1 },
          },
        },
      ],
    },
  }),
);
