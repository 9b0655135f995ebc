import type { Check } from '../check.js';
import { ok, warning } from '../finding.js';

export const node: Check = {
  name: 'node',
  needs: [],
  run: async () => nodeFinding(process.versions.node),
};

export const packages: Check = {
  name: 'packages',
  needs: [],
  run: ({ cloud }) => cloud.packages(),
};

/** The versions that packages/cli/package.json names in `engines`. */
export function nodeFinding(version: string): ReturnType<typeof ok> {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isSupported = major >= 24 || major === 22 || (major === 20 && minor >= 19);
  if (isSupported) return ok(`Node.js ${version}`);
  return warning(`Node.js ${version} is not supported`, 'install Node.js 20.19, 22 or 24 and later: nvm install 24');
}
