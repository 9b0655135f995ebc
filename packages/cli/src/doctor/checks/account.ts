import type { Check } from '../finding.js';

export const region: Check = {
  name: 'region',
  needs: ['packages'],
  run: ({ cloud }, signal) => cloud.region(signal),
};

export const credentials: Check = {
  name: 'credentials',
  needs: ['packages'],
  run: ({ cloud }, signal) => cloud.credentials(signal),
};
