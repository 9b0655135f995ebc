import type { OptionSpec } from './option.js';

/** Options of the command that ships files. */
export const fileSpecs: readonly OptionSpec[] = [
  { path: ['resume'], kind: 'boolean', description: 'go on where the last run of this file to this target ended' },
  {
    path: ['maxRecordsPerSecond'],
    kind: 'number',
    value: 'n',
    description: 'most records a second',
    defaultText: 'as fast as the service takes them',
  },
  {
    path: ['outOfWindow'],
    kind: 'text',
    value: 'rule',
    description:
      'records older, or later, than the service takes: stop ships nothing, now gives them the time now, skip leaves them out',
    defaultText: 'stop',
  },
];
