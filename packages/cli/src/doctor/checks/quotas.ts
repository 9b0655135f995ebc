import type { Check } from '../check.js';
import { ok } from '../finding.js';

export const quotas: Check = {
  name: 'quotas',
  needs: [],
  run: async ({ cloud }) => ok(cloud.quotas),
};
