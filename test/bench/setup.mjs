// What every benchmark begins with: the peers, the server, and the machine's name.
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';

const here = (path) => fileURLToPath(new URL(path, import.meta.url));

/** The line under the title of a report. */
export function machine() {
  return `Node.js ${process.version}, ${cpus().length} × ${cpus()[0]?.model.trim()}; medians`;
}

export function installPeers() {
  const { dependencies } = JSON.parse(readFileSync(here('peers/package.json'), 'utf8'));
  if (Object.keys(dependencies).every((name) => existsSync(here(`peers/node_modules/${name}`)))) return;
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: here('peers'), stdio: 'inherit' });
}

/** Starts the process of `server.mjs`. */
export async function startServer() {
  const server = fork(here('server.mjs'), {
    // The garbage collector does not use the core of the measured process.
    execArgv: ['--max-old-space-size=8192', '--single-threaded-gc'],
    serialization: 'advanced',
  });
  server.once('exit', (code) => {
    if (code !== 0) throw new Error(`The server ended with ${code}`);
  });
  return {
    pid: server.pid,
    async ask(command, argument) {
      server.send({ command, argument });
      const [reply] = await once(server, 'message');
      return reply;
    },
    close: () => server.disconnect(),
  };
}
