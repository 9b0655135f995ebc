import type { Check } from '../check.js';

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
