import type { Group } from '../row.js';
import { bundles } from './bundles.js';
import { frameworks } from './frameworks.js';
import { managers } from './managers.js';
import { testRunners } from './runners.js';
import { runtimes } from './runtimes.js';
import { typescript } from './typescript.js';

/** In the order of docs/reach.md. */
export const groups: readonly Group[] = [runtimes, managers, bundles, typescript, testRunners, frameworks];
