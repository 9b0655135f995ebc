import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** Makes the tarballs of packages, by the names of their folders, in a folder that has none. Returns their paths. */
export function pack(names: readonly string[], folder: string): readonly string[] {
  const each = names.map((name) => `--workspace=packages/${name}`);
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder, ...each], { cwd: root });
  const tarballs = readdirSync(folder)
    .filter((file) => file.endsWith('.tgz'))
    .map((file) => join(folder, file));
  if (tarballs.length !== names.length) throw new Error(`${names.length} packages made ${tarballs.length} tarballs`);
  return tarballs;
}
