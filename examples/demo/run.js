import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** Runs an example to its end. Resolves with the counters from its last output line. */
export async function runExample(args, folder, env) {
  const example = start(args, folder, env);
  return example.ended();
}

/** Starts the web server, sends requests, and stops it with SIGTERM. Resolves with its counters. */
export async function runWebServer(folder, env, requests, progress) {
  const server = start(['index.js'], folder, env);
  const url = await server.line(/listening on (http\S+)/);
  const sendRequests = async (worker) => {
    for (let id = worker; id <= requests; id += 10) {
      const response = await fetch(`${url}/articles/${id}`);
      await response.text();
      if (id % 100 === 0) progress(id);
    }
  };
  await Promise.all([1, 2, 3, 4, 5, 6, 7, 8, 9, 10].map(sendRequests));
  server.child.kill('SIGTERM');
  return server.ended();
}

function start(args, folder, env) {
  const child = spawn(process.execPath, args, {
    cwd: folder,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const lines = [];
  const closed = once(child, 'close');
  const output = createInterface({ input: child.stdout });
  output.on('line', (line) => lines.push(line));
  let errors = '';
  child.stderr.on('data', (chunk) => {
    errors += chunk;
  });
  const fail = (reason) => new Error(`${args.join(' ')} in ${folder}: ${reason}\n${errors}`);
  return {
    child,
    async line(pattern) {
      for (;;) {
        const match = lines.map((line) => pattern.exec(line)).find((found) => found !== null);
        if (match) return match[1];
        await Promise.race([
          once(output, 'line'),
          closed.then(() => Promise.reject(fail('exited before it was ready'))),
        ]);
      }
    },
    async ended() {
      const [code] = await closed;
      if (code !== 0) throw fail(`exited with code ${code}`);
      return JSON.parse(lines.at(-1) ?? '');
    },
  };
}
