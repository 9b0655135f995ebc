import { cloudWatchTarget } from './cloudwatch.js';
import { logServiceTarget } from './log-service.js';
import type { Target } from './target.js';

/** All clouds of the command, in the order of the help. */
export const targets: readonly [typeof cloudWatchTarget, typeof logServiceTarget] = [
  cloudWatchTarget,
  logServiceTarget,
];

/** A target, whatever its options are. */
export type AnyTarget = Target<never>;
