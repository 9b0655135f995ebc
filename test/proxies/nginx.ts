import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

/** An nginx before one server. */
export interface Nginx {
  /** Base addresses, without a slash at the end. */
  readonly urls: { readonly http: string; readonly https: string };
  /** The requests that have ended, in order. */
  requests(): Promise<readonly ProxiedRequest[]>;
  /** Reads the configuration again, as `nginx -s reload` does. Resolves when workers of before have ended. */
  reload(): Promise<void>;
  /** Stops at once, with open connections and requests in flight, and starts again. */
  restart(): Promise<void>;
  stop(): Promise<void>;
}

/** A request in nginx's log. */
interface ProxiedRequest {
  readonly status: number;
  /** Bytes of the body, as the client announced them. */
  readonly bodyBytes: number;
  /** Bytes that nginx has read: request line, headers and body. */
  readonly readBytes: number;
  /** The same for requests of one connection. */
  readonly connection: string;
  /** `Content-Encoding` of the response; empty if it has none. */
  readonly encoding: string;
}

/** Lines of the configuration. */
export interface Directives {
  /** @default none */
  readonly http?: string;
  /** @default none */
  readonly server?: string;
}

/** Starts an nginx that passes all requests on to this port. Rejects with nginx's log if it does not start. */
export async function startNginx(upstreamPort: number, directives: Directives = {}): Promise<Nginx> {
  const folder = await mkdtemp(join(tmpdir(), 'nginx-'));
  // The workers run as a user without rights if root starts them. They write large bodies to files.
  await chmod(folder, 0o755);
  const ports = { http: await freePort(), https: await freePort() };
  await writeFile(join(folder, 'nginx.conf'), configuration(ports, upstreamPort, directives));
  const textOf = (file: string): Promise<string> => readFile(join(folder, file), 'utf8').catch(() => '');
  const count = async (notice: string): Promise<number> => (await textOf('error.log')).split(notice).length - 1;

  let master = await launch();
  return {
    urls: { http: `http://127.0.0.1:${ports.http}`, https: `https://127.0.0.1:${ports.https}` },
    async requests() {
      const lines = (await textOf('access.log')).split('\n').slice(0, -1);
      return lines.map((line) => {
        const [status, bodyBytes, readBytes, connection = '', encoding = ''] = line.split(' ');
        return {
          status: Number(status),
          bodyBytes: Number(bodyBytes),
          readBytes: Number(readBytes),
          connection,
          encoding,
        };
      });
    },
    async reload() {
      const ended = await count(WORKER_ENDED);
      master.kill('SIGHUP');
      await until(async () => (await count(WORKER_ENDED)) > ended);
    },
    async restart() {
      await end();
      master = await launch();
    },
    async stop() {
      await end();
      await rm(folder, { recursive: true });
    },
  };

  async function launch(): Promise<ChildProcess> {
    const started = await count(WORKERS_STARTED);
    const child = spawn('nginx', ['-p', folder, '-c', 'nginx.conf', '-e', 'error.log', '-g', 'daemon off;'], {
      stdio: 'ignore',
      // Debian's place for programs of the administrator.
      env: { PATH: [process.env.PATH, '/usr/sbin'].join(delimiter) },
    });
    await once(child, 'spawn');
    running.add(child);
    await until(async () => {
      if (child.exitCode !== null) throw new Error(`nginx did not start: ${await textOf('error.log')}`);
      return (await count(WORKERS_STARTED)) > started;
    });
    return child;
  }

  async function end(): Promise<void> {
    running.delete(master);
    if (master.exitCode !== null) return;
    const ended = once(master, 'exit');
    master.kill('SIGTERM');
    await ended;
  }
}

/** A port that nothing listens on. It is below those that systems hand out for port 0, which nginx does not take. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST_PORT + (nextPort++ % PORTS);
    const server = createServer().listen(port, '127.0.0.1');
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    );
    server.close();
    if (isFree) return port;
  }
}

const FIRST_PORT = 20_000;
const PORTS = 10_000;
let nextPort = process.pid * 100;

/** Notices in nginx's log. */
const WORKERS_STARTED = ': start worker processes';
const WORKER_ENDED = ' exited with code 0';

/** Generous: nginx tries for 3 s to listen on a port that is taken. */
const PATIENCE_MS = 20_000;
const POLL_MS = 10;

/** An nginx outlives the process that started it. */
const running = new Set<ChildProcess>();
process.on('exit', () => {
  for (const child of running) child.kill();
});

async function until(isDone: () => Promise<boolean>): Promise<void> {
  const limitMs = performance.now() + PATIENCE_MS;
  while (!(await isDone())) {
    if (performance.now() > limitMs) throw new Error(`nginx has not got there within ${PATIENCE_MS} ms`);
    await delay(POLL_MS);
  }
}

/**
 * A key for localhost, and a certificate by the CA of `ca.pem`, both valid for a hundred years. The key of the CA is gone.
 * `openssl req -x509 -nodes -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -keyout ca.key -out ca.pem -days 36500 -subj
 * '/CN=Private CA' -addext keyUsage=critical,keyCertSign`, `openssl req -nodes -newkey ec -pkeyopt
 * ec_paramgen_curve:prime256v1 -keyout key.pem -out request.pem -subj /CN=localhost -addext
 * subjectAltName=DNS:localhost,IP:127.0.0.1`, `openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -days 36500
 * -copy_extensions copy -out certificate.pem`
 */
const certificateFile = fileURLToPath(new URL('localhost.pem', import.meta.url));

/**
 * Debian's `/etc/nginx/nginx.conf`, with other files and ports and a log for {@link ProxiedRequest}. A site sets no more than it
 * needs. The header `Host` is part of what the signature of CloudWatch Logs covers.
 */
function configuration(
  ports: { readonly http: number; readonly https: number },
  upstreamPort: number,
  { http = '', server = '' }: Directives,
): string {
  return `
    worker_processes auto;
    pid nginx.pid;
    error_log error.log notice;
    events {
      worker_connections 768;
    }
    http {
      sendfile on;
      tcp_nopush on;
      types_hash_max_size 2048;
      default_type application/octet-stream;
      ssl_protocols TLSv1 TLSv1.1 TLSv1.2 TLSv1.3;
      ssl_prefer_server_ciphers on;
      log_format requests '$status $content_length $request_length $connection $sent_http_content_encoding';
      access_log access.log requests;
      gzip on;
      client_body_temp_path client-body;
      proxy_temp_path proxy;
      fastcgi_temp_path fastcgi;
      uwsgi_temp_path uwsgi;
      scgi_temp_path scgi;
      ${http}
      server {
        listen 127.0.0.1:${ports.http};
        listen 127.0.0.1:${ports.https} ssl;
        ssl_certificate "${certificateFile}";
        ssl_certificate_key "${certificateFile}";
        ${server}
        location / {
          proxy_pass http://127.0.0.1:${upstreamPort};
          proxy_set_header Host $http_host;
        }
      }
    }`;
}
