// Checks what the published packages bring along, from package-lock.json of the current folder: the licence of each package, which needs
// no network, and known vulnerabilities, as far as the registry knows any. `--audit-required` fails if the registry tells nothing of them.
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { promisify } from 'node:util';

/** With each of them, users may do what ours lets them do. */
const ALLOWED = ['0BSD', 'Apache-2.0', 'BlueOak-1.0.0', 'BSD-2-Clause', 'BSD-3-Clause', 'ISC', 'MIT'];

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'));
const published = readdirSync('packages').map((name) => `packages/${name}`);
const brought = closureOf(published);
const refused = [...brought].filter(([path]) => !isAllowed(licenceOf(path)));
for (const [path, chain] of refused) {
  const licence = licenceOf(path) ?? 'no licence';
  console.error(`${nameOf(path)} ${packages[path].version}: ${licence} is not allowed (${chain.join(' > ')})`);
}
console.log(`licences: ${brought.size - refused.length} of ${brought.size} packages have one of ${ALLOWED.join(', ')}`);
const isSafe = await audit();
if (refused.length > 0 || !isSafe) process.exit(1);

/** Paths in the lock file of all that packages depend on, each with the names that lead to it. */
function closureOf(roots) {
  const chains = new Map(roots.map((root) => [root, [nameOf(root)]]));
  for (const [path, chain] of chains) {
    const { dependencies, optionalDependencies } = packages[path];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const found = resolve(path, name);
      if (found && !chains.has(found)) chains.set(found, [...chain, name]);
    }
  }
  return new Map([...chains].filter(([path]) => !roots.includes(path)));
}

/** Finds a package as Node.js does. One that is optional, and of another system, may be missing. */
function resolve(from, name) {
  for (let folder = from; ; folder = posix.dirname(folder)) {
    const path = posix.join(folder, 'node_modules', name);
    if (packages[path]) return packages[path].link ? packages[path].resolved : path;
    if (folder === '.') return undefined;
  }
}

function nameOf(path) {
  return packages[path].name ?? path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length);
}

/** An old package has its licence in package.json alone, in an old form. */
function licenceOf(path) {
  if (packages[path].license) return packages[path].license;
  const { license, licenses } = JSON.parse(readFileSync(`${path}/package.json`, 'utf8'));
  return license?.type ?? license ?? licenses?.map(({ type }) => type).join(' OR ');
}

/** One of several licences is enough. */
function isAllowed(licence) {
  const choices = licence?.replaceAll(/[()]/g, '').split(' OR ') ?? [];
  return choices.some((choice) => choice.split(' AND ').every((each) => ALLOWED.includes(each)));
}

async function audit() {
  const each = published.map((path) => `--workspace=${path}`);
  const network = ['--fetch-retries=0', '--fetch-timeout=20000'];
  const command = ['audit', '--omit=dev', '--json', '--package-lock-only', ...network, ...each];
  const { stdout } = await promisify(execFile)('npm', command, { maxBuffer: 2 ** 26 }).catch((error) => error);
  const { vulnerabilities, message } = JSON.parse(stdout);
  if (!vulnerabilities) {
    console.log(`vulnerabilities: not checked, since the registry tells nothing of them: ${message}`);
    return !process.argv.includes('--audit-required');
  }
  // An entry of `via` is an advisory, or the name of another package that has one.
  const found = Object.values(vulnerabilities).flatMap(({ via }) => via.filter(({ title }) => title));
  for (const { name, range, title, severity, url } of found)
    console.error(`${name} ${range}: ${title} (${severity}, ${url})`);
  console.log(`vulnerabilities: ${found.length} known`);
  return found.length === 0;
}
