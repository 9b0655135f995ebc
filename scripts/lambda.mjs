// `npm run lambda`: wrapped handlers of each kind under Lambda's own runtime clients. They are installed into temporary folders, where npm
// compiles their native part.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { run, withNodes } from './nodes.mjs';

/** The client of the runtimes up to Node.js 22, which takes callbacks, and that of Node.js 24. */
const CLIENTS = [
  { node: '22', version: '3.3.0' },
  { node: '24', version: '4.0.2' },
];
const TOOLS = ['autoconf', 'automake', 'libtoolize', 'cmake', 'make', 'g++'];

const missing = TOOLS.filter((tool) => spawnSync(tool, ['--version']).error);
if (missing.length > 0) {
  const remedy = 'apt-get install autoconf automake libtool cmake make g++';
  throw new Error(`missing to compile the runtime client: ${missing.join(', ')} (${remedy})`);
}

withNodes(
  CLIENTS.map(({ node }) => node),
  (nodes) => {
    for (const { node, version } of CLIENTS) {
      const bin = nodes.get(node);
      const folder = mkdtempSync(join(tmpdir(), 'lambda-'));
      try {
        install(version, folder, bin);
        run(join(bin, 'node'), [join('test', 'lambda', 'runtime-client.mjs'), version, folder]);
      } finally {
        rmSync(folder, { recursive: true, force: true });
      }
    }
  },
);

function install(version, folder, bin) {
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ allowScripts: { 'aws-lambda-ric': true } }));
  // The headers of this Node.js, which node-gyp would download.
  const env = { ...process.env, PATH: `${bin}:${process.env.PATH}`, npm_config_nodedir: dirname(bin) };
  const args = ['install', '--silent', '--no-audit', '--no-fund', '--prefix', folder, `aws-lambda-ric@${version}`];
  console.log(`aws-lambda-ric ${version}: compiling, which takes some minutes`);
  run('npm', args, { env, cwd: folder });
}
