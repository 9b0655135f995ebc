import { defineConfig, mergeConfig } from 'vitest/config';
import shared from '../vitest.config.js';

// Bursts and child processes: one file at a time, so that none is starved on a small machine.
export default mergeConfig(shared, defineConfig({ test: { fileParallelism: false, maxConcurrency: 2 } }));
