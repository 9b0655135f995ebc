import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { assertBalanced, type DeliveryStats } from '@logferry/core';
import {
  type CloudWatchEmulator,
  type LogServiceEmulator,
  startCloudWatch,
  startLogService,
} from '@logferry/emulators';
import { expect, it, onTestFinished } from 'vitest';
import { shipTo } from '../support/clouds.js';

const CHILD = fileURLToPath(new URL('child.js', import.meta.url));
const INVOCATIONS = Number(process.env.LOGFERRY_INVOCATIONS ?? 400);
const PROCESSES = Number(process.env.LOGFERRY_PROCESSES ?? 8);

/** Six of ten requests meet one. */
const FAULTS = { throttle: 0.2, serverError: 0.15, reset: 0.15, html: 0.068, lostAck: 0.03, hang: 0.002 };

/** Short waits, so that an invocation takes no longer than the requests. */
const DELIVERY = {
  retry: { baseMs: 5, throttledBaseMs: 10, capMs: 50 },
  // Many processes make the services slow.
  requestTimeoutMs: 250 * PROCESSES,
  closeTimeoutMs: 100,
};

/** More than delivery takes among the faults. */
const AMPLE_MS = 120_000;
/** The same while all processes, and their threads, start at once. */
const FIRST_MS = 600_000;
/** Of this, 250 ms are kept for the response. */
const SCARCE_MS = 265;
const MARGIN_MS = 250;

const KINDS = ['async', 'throwing', 'callback', 'streaming'] as const;
const WAYS = [
  { host: 'winston', thread: false },
  { host: 'pino', thread: true },
  { host: 'bunyan', thread: false },
  { host: 'pino', thread: false },
  { host: 'winston', thread: true },
  { host: 'bunyan', thread: true },
] as const;
const CLOUDS = ['cloudwatch', 'log-service'] as const;

/** What a child says. */
interface Said {
  readonly started?: boolean;
  readonly result?: string;
  readonly leftMs?: number;
  readonly stats?: DeliveryStats;
}

/** A service, and the numbers of the records that it has stored. */
interface Service {
  readonly emulator: CloudWatchEmulator | LogServiceEmulator;
  readonly options: object;
  has(id: string): boolean;
}

/** How often what was, in all processes. */
const counts = { invocations: 0, records: 0, cut: 0, 'cut, then delivered': 0, 'lost at the end': 0 };

it(
  `${INVOCATIONS} invocations in ${PROCESSES} processes that are frozen after each: no record is lost that the time allowed`,
  async () => {
    const services = await startServices();
    const perProcess = Math.ceil(INVOCATIONS / PROCESSES);
    const environments = Array.from({ length: PROCESSES }, (_, index) => {
      const cloud = CLOUDS[index % CLOUDS.length] as (typeof CLOUDS)[number];
      return new Environment(index, cloud, services[cloud]);
    });
    onTestFinished(() => {
      for (const environment of environments) environment.kill();
    });
    await Promise.all(environments.map((environment) => environment.run(perProcess - 1)));
    for (const { emulator } of Object.values(services)) emulator.faults({ down: true });
    await Promise.all(environments.map((environment) => environment.end()));
    for (const { emulator } of Object.values(services)) {
      expect(emulator.stats().violations).toEqual([]);
      await emulator.close();
    }
    process.stderr.write(`${PROCESSES} processes: ${JSON.stringify(counts)}\n`);
    // Where nothing is ever cut, nothing proves that it goes with the next invocation.
    for (const [name, count] of Object.entries(counts)) expect(count, name).toBeGreaterThan(0);
  },
  INVOCATIONS * 1000 + FIRST_MS,
);

/** A process of a function: from its start over its invocations to its end. */
class Environment {
  readonly #index: number;
  readonly #service: Service;
  readonly #child: ChildProcess;
  readonly #said: AsyncIterator<string>;
  readonly #name: string;
  #stderr = '';
  #records = 0;
  /** Those that had not arrived when their invocation returned. */
  #cut: string[] = [];

  constructor(index: number, cloud: (typeof CLOUDS)[number], service: Service) {
    const way = WAYS[Math.floor(index / CLOUDS.length) % WAYS.length] as (typeof WAYS)[number];
    const options = { ...service.options, ...DELIVERY };
    this.#name = `${index}: ${way.host}${way.thread ? ' in a thread' : ''} to ${cloud}`;
    this.#index = index;
    this.#service = service;
    this.#child = spawn(process.execPath, [CHILD, JSON.stringify({ ...way, cloud, options })], {
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    // The services would have machines of their own.
    setPriority(this.#child.pid as number, constants.priority.PRIORITY_BELOW_NORMAL);
    const { stdout, stderr } = this.#child;
    if (!stdout || !stderr) throw new Error('no pipes');
    stderr.setEncoding('utf8').on('data', (text) => {
      this.#stderr += text;
    });
    this.#said = createInterface({ input: stdout })[Symbol.asyncIterator]();
  }

  async run(invocations: number): Promise<void> {
    await this.#next();
    for (let number = 1; number <= invocations; number++) {
      const timeoutMs = number === 1 ? FIRST_MS : number % 7 === 3 ? SCARCE_MS : AMPLE_MS;
      await this.#invoke(KINDS[number % KINDS.length] as string, 1 + (number % 3), timeoutMs);
      // Longer than any wait of a turn: the process finds out that it stood still.
      if (number === 5) await sleep(1200);
    }
  }

  /** The last invocation, which delivers nothing, and the end of the process. */
  async end(): Promise<void> {
    await this.#invoke('async', 2, SCARCE_MS);
    await this.#end();
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  async #invoke(kind: string, records: number, timeoutMs: number): Promise<void> {
    const ids = Array.from({ length: records }, () => `#${this.#index}:${this.#records++}#`);
    this.#thaw();
    this.#child.send({ kind, texts: ids, timeoutMs });
    const { result, leftMs = 0 } = await this.#next();
    await this.#frozen();
    const missing = [...this.#cut, ...ids].filter((id) => !this.#service.has(id));
    expect(result, this.#name).toBe('a result');
    // Where there was time, all records have arrived, also those that an invocation before was cut from.
    if (leftMs > MARGIN_MS) expect(missing, `${this.#name}, ${leftMs} ms before the end`).toEqual([]);
    if (timeoutMs > SCARCE_MS && leftMs <= MARGIN_MS)
      throw new Error(`${this.#name} took too long for ${ids}; missing: ${missing}; ${this.#stderr}`);
    counts.invocations++;
    counts.records += records;
    counts['cut, then delivered'] += this.#cut.filter((id) => !missing.includes(id)).length;
    counts.cut += missing.filter((id) => ids.includes(id)).length;
    this.#cut = missing;
    // As services do while nobody sends.
    this.#service.emulator.closeIdleConnections();
  }

  async #end(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#thaw();
    this.#child.send({ ends: true });
    const { stats } = await this.#next();
    expect(await exited, this.#stderr).toEqual([0, null]);
    if (!stats) throw new Error(`${this.#name} has no counters`);
    const { received, pending, dropped } = stats;
    assertBalanced(stats);
    expect({ received, pending }, this.#name).toEqual({ received: this.#records, pending: 0 });
    const lost = this.#cut.filter((id) => !this.#service.has(id)).length;
    // A record counts as lost if its response was.
    expect(dropped.undeliverable, this.#name).toBeGreaterThanOrEqual(lost);
    expect(dropped.undeliverable, this.#name).toBeLessThanOrEqual(this.#cut.length);
    counts['lost at the end'] += lost;
    expect(this.#stderr).not.toMatch(/please report it/);
  }

  #thaw(): void {
    this.#child.kill('SIGCONT');
  }

  /** The child stops itself after it has said its result. A SIGCONT before that would be without effect. */
  async #frozen(): Promise<void> {
    while (!/\) T /.test(await readFile(`/proc/${this.#child.pid}/stat`, 'utf8'))) await sleep(1);
  }

  /** What the child says next. */
  async #next(): Promise<Said> {
    const { value, done } = await this.#said.next();
    if (done) throw new Error(`${this.#name} has ended: ${this.#stderr}`);
    return JSON.parse(value);
  }
}

async function startServices(): Promise<Readonly<Record<(typeof CLOUDS)[number], Service>>> {
  const cloudWatch = await startCloudWatch({ strict: true });
  const logService = await startLogService({ strict: true });
  cloudWatch.faults(FAULTS);
  logService.faults(FAULTS);
  return {
    cloudwatch: {
      emulator: cloudWatch,
      options: shipTo(cloudWatch),
      has: reader((from) =>
        cloudWatch
          .events()
          .slice(from)
          .map(({ message }) => message),
      ),
    },
    'log-service': {
      emulator: logService,
      options: logService.target,
      has: reader((from) =>
        logService
          .events()
          .slice(from)
          .map(({ fields }) => String(fields.message ?? fields.msg)),
      ),
    },
  };
}

/** Knows the numbers of all records that are stored, from their texts in order of arrival. */
function reader(texts: (from: number) => readonly string[]): (id: string) => boolean {
  const stored = new Set<string>();
  let read = 0;
  return (id) => {
    if (stored.has(id)) return true;
    const added = texts(read);
    read += added.length;
    for (const text of added) {
      const found = /#\d+:\d+#/.exec(text);
      if (found) stored.add(found[0]);
    }
    return stored.has(id);
  };
}
