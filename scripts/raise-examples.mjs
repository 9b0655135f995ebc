// Raises the range of our packages in the examples that stand alone to the version that the packages have: they are no workspaces, so
// changesets does not see them.
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const { version } = JSON.parse(readFileSync('packages/core/package.json', 'utf8'));
for (const folder of ['examples/frameworks', 'examples/testing']) {
  for (const name of readdirSync(folder)) {
    const file = join(folder, name, 'package.json');
    if (!existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/("(?:@logferry\/[\w-]+|logferry)": )"[^"]+"/g, `$1"^${version}"`));
  }
}
