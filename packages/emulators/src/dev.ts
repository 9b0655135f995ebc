import { checkOptions, flag, list, matching, optional, portNumber, text } from './checks.js';
import { type CloudWatchEmulator, openCloudWatch } from './cloudwatch/server.js';
import { type HttpServer, listen } from './http.js';
import { LOGSTORE_NAME, PROJECT_NAME } from './log-service/rules.js';
import { type LogServiceEmulator, openLogService } from './log-service/server.js';
import { Hub } from './page/hub.js';
import { createPageRoutes, PAGE_PATH } from './page/routes.js';

/** Options of {@link startDev}. */
export interface DevOptions {
  /** Port of the page; without it, 4600 or the next free one. The servers take the next free ports. 0 takes any. @default 4600 */
  readonly port?: number;
  /** Region of both servers. @default 'us-east-1' */
  readonly region?: string;
  /** Name of the only project of Log Service. @default 'local' */
  readonly project?: string;
  /** Its logstores. @default ['logs'] */
  readonly logstores?: readonly string[];
  /** Refuses what the documentation forbids, and the services accept. @default false */
  readonly strict?: boolean;
}

/** Both local servers, and the page that shows them. */
export interface Dev {
  /** Address of the page. */
  readonly url: string;
  /**
   * Environment variables that direct clients of both clouds to the servers; `SLS_ENDPOINT`, `SLS_PROJECT` and `SLS_LOGSTORE`, which
   * the examples of the documentation read, since no client of Log Service has such variables; and `LOGFERRY_DEV`, by which
   * `@logferry/emulators/report` finds the page.
   */
  readonly env: Readonly<Record<string, string>>;
  readonly cloudWatch: CloudWatchEmulator;
  readonly logService: LogServiceEmulator;
  /** Stops the servers and the page. */
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const DEFAULT_PORT = 4600;
/** Ports that are tried: in use are those of other servers. */
const MAX_TRIES = 100;

/**
 * Starts a local CloudWatch Logs, a local Log Service, and a page on 127.0.0.1 that shows both. Rejects if the given port is taken, and
 * with a TypeError for wrong options.
 */
export async function startDev(options: DevOptions = {}): Promise<Dev> {
  checkOptions<DevOptions>('startDev', options, {
    port: optional(portNumber),
    region: optional(text),
    project: optional(matching(PROJECT_NAME)),
    logstores: optional(list(matching(LOGSTORE_NAME), 1)),
    strict: optional(flag),
  });
  const { port, region = 'us-east-1', project = 'local', logstores = ['logs'], strict = false } = options;
  const hub = new Hub();
  let setReady = (): void => {};
  const ready = new Promise<void>((resolve) => {
    setReady = resolve;
  });
  const opened: { close(): Promise<void> }[] = [];
  const close = async (): Promise<void> => {
    await Promise.all(opened.map((each) => each.close()));
  };
  const open = async <Server extends HttpServer>(starting: Promise<Server>): Promise<Server> => {
    const server = await starting;
    opened.push(server);
    return server;
  };
  try {
    const page = await open(
      port === undefined
        ? onFreePort(DEFAULT_PORT, (free) => listenForPage(hub, free, ready))
        : listenForPage(hub, port, ready),
    );
    const next = port === 0 ? 0 : portOf(page) + 1;
    const cloudWatch = await open(onFreePort(next, (free) => openCloudWatch({ port: free, region, strict }, hub)));
    const logService = await open(
      onFreePort(port === 0 ? 0 : portOf(cloudWatch) + 1, (free) =>
        openLogService({ port: free, region, project, logstores, strict }, hub),
      ),
    );
    setReady();
    const { target } = logService;
    const place = { SLS_ENDPOINT: target.endpoint, SLS_PROJECT: target.project, SLS_LOGSTORE: target.logstore };
    return {
      url: page.url,
      env: { ...cloudWatch.env, ...logService.env, ...place, LOGFERRY_DEV: page.url },
      cloudWatch,
      logService,
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function listenForPage(hub: Hub, port: number, ready: Promise<void>): Promise<HttpServer> {
  const toPage = { status: 302, headers: { location: PAGE_PATH }, body: '' };
  const missing = { status: 404, headers: {}, body: '' };
  const handle = async ({ method, url }: { method: string; url: string }) =>
    method === 'GET' && url === '/' ? toPage : missing;
  return listen({ host: HOST, port }, handle, createPageRoutes(hub, ready));
}

async function onFreePort<Server>(first: number, start: (port: number) => Promise<Server>): Promise<Server> {
  for (let port = first; ; port++) {
    try {
      return await start(port);
    } catch (error) {
      const isTaken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
      if (!isTaken || port === first + MAX_TRIES) throw error;
    }
  }
}

function portOf({ url }: HttpServer): number {
  return Number(new URL(url).port);
}
