import type { Check } from '../check.js';
import { lookFor } from '../look.js';

export const access: Check = {
  name: 'access',
  needs: ['credentials', 'service'],
  run: async (context, signal) => (await lookFor(context, signal)).access,
};

export const target: Check = {
  name: 'target',
  needs: ['access'],
  run: async (context, signal) => (await lookFor(context, signal)).target,
};
