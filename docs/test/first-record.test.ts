import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { full } from '../../forms.js';
import { freePort } from '../../test/support/free-port.js';
import { pack } from '../../test/support/pack.js';
import { type Block, blocksOf } from './blocks.js';

const PAGES = ['winston', 'pino', 'bunyan', 'command-line', 'express', 'fastify', 'koa', 'nestjs', 'nextjs'];
/** A logger, a framework and a command: each of the others is much like one of them. */
const SOME = ['pino', 'express', 'command-line'];

/** The folders of the packages that the pages install, and of those that they need. */
const PACKAGES = ['core', 'cloudwatch', 'log-service', 'winston', 'pino', 'bunyan', 'emulators', 'cli'];
const QUIET = ['--no-audit', '--no-fund', '--prefer-offline', '--loglevel=error'];

describe.runIf(full)('with what is written on the page alone, an empty folder ships its first record', () => {
  let tarballs: readonly string[];
  let packed: string;

  beforeAll(() => {
    packed = mkdtempSync(join(tmpdir(), 'logferry-first-record-packed-'));
    tarballs = pack(PACKAGES, packed);
  }, 120_000);
  afterAll(() => rmSync(packed, { recursive: true, force: true }));

  it.concurrent.each(process.env.LOGFERRY_EVERY_PAGE ? PAGES : SOME)(
    'start/%s',
    async (page) => {
      const folder = mkdtempSync(join(tmpdir(), `logferry-first-record-${page}-`));
      const reader = new Reader(folder, tarballs, await freePort());
      try {
        // Without the sections that need an account.
        const blocks = blocksOf(`docs/start/${page}.md`).filter(({ heading }) => !heading.startsWith('The real '));
        // npx finds the command in the folder, and has nothing to install.
        if (!blocks.some(({ code }) => INSTALL.test(code))) await reader.run('npm install logferry');
        for (const block of blocks) await reader.follow(block);
        expect(reader.shown).toBeGreaterThanOrEqual(2);
      } finally {
        await reader.stop();
        rmSync(folder, { recursive: true, force: true });
      }
    },
    300_000,
  );
});

/** A line that installs packages of ours. */
const INSTALL = /^npm install .*logferry.*$/m;
/** The name of a file that a page says to write. */
const FILE = /`((?:[\w[\]]+\/)*[\w.]+\.(?:mjs|js|ts|json))`/g;
/** A program that goes on until Ctrl-C. */
const SERVER = /^(?:CLOUD=\S+ )?(?:node (?:server|dist\/main)\.js|npx next start)$/m;

/** Does what a page says, in a folder. */
class Reader {
  /** Times that records were read back. */
  shown = 0;
  readonly #tarballs: readonly string[];
  #folder: string;
  #env: NodeJS.ProcessEnv = { ...process.env, NODE_NO_WARNINGS: '1' };
  /** That of servers: on the pages it is 3000, which pages that are followed at once cannot share. */
  readonly #port: number;
  #stopClouds: (() => Promise<unknown>) | undefined;
  #stopServer: (() => Promise<unknown>) | undefined;

  constructor(folder: string, tarballs: readonly string[], port: number) {
    this.#folder = folder;
    this.#tarballs = tarballs;
    this.#port = port;
    this.#env.PORT = String(port);
  }

  async follow({ before, language, code }: Block): Promise<void> {
    if (['js', 'ts', 'json'].includes(language)) await this.#write(code, [...before.matchAll(FILE)].at(-1)?.[1]);
    else if (code.startsWith('npx logferry dev')) await this.#startClouds(before);
    else if (SERVER.test(code)) await this.#startServer(code);
    else if (language === 'sh') await this.run(code);
  }

  /** A program without a name is that of the reader's own application. */
  async #write(code: string, name = ''): Promise<void> {
    const file = join(this.#folder, name || 'app.mjs');
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, code);
    if (!name) await this.run('node app.mjs');
  }

  async run(script: string): Promise<void> {
    if (script.includes('npx logferry tail')) await this.#stopServer?.();
    const local = script.replaceAll(':3000', `:${this.#port}`).replace(INSTALL, (line) => {
      const others = line.replace(/ (@logferry\/\w+|logferry)/, '');
      return `${others} ${QUIET.join(' ')} ${this.#tarballs.join(' ')}`;
    });
    // curl ends its output without the end of a line.
    const args = ['-euo', 'pipefail', '-c', `${local}\nprintf '\\n%s\\n' "$PWD"`];
    const { stdout, stderr } = await promisify(execFile)('bash', args, { cwd: this.#folder, env: this.#env });
    const lines = stdout.trimEnd().split('\n');
    this.#folder = lines.pop() as string;
    expect(stderr).not.toContain('[logferry]');
    for (const _ of script.matchAll(/^npx logferry tail/gm)) {
      this.shown++;
      expect(
        lines.findLast((line) => /^\d\d:\d\d:\d\d\.\d{3} (INFO|WARN) /.test(line)),
        script,
      ).toBeDefined();
    }
  }

  /** As in a second terminal, until Ctrl-C. */
  async #startServer(command: string): Promise<void> {
    const server = spawn('bash', ['-c', `exec env ${command}`], {
      cwd: this.#folder,
      env: this.#env,
      stdio: 'ignore',
      detached: true,
    });
    const exited = once(server, 'exit');
    const url = `http://127.0.0.1:${this.#port}/health`;
    await vi.waitFor(() => fetch(url), { timeout: 60_000 });
    this.#stopServer = async () => {
      // Ctrl-C reaches the command, and all that it started.
      process.kill(-(server.pid as number), 'SIGINT');
      await exited;
      this.#stopServer = undefined;
    };
  }

  async #startClouds(before: string): Promise<void> {
    const server = spawn('npx', ['logferry', 'dev'], { cwd: this.#folder, detached: true });
    const closed = once(server, 'close');
    this.#stopClouds = () => {
      process.kill(-(server.pid as number), 'SIGINT');
      return closed;
    };
    let output = '';
    for await (const text of server.stdout.setEncoding('utf8')) {
      output += text;
      if (output.includes('Ctrl-C')) break;
    }
    const variables = [...output.matchAll(/^ +export (\w+)=(\S+)$/gm)].map(([, name = '', value = '']) => [
      name,
      value,
    ]);
    // The pages say so.
    expect(variables, before).toHaveLength(10);
    this.#env = { ...this.#env, ...Object.fromEntries(variables) };
  }

  async stop(): Promise<void> {
    await this.#stopServer?.();
    await this.#stopClouds?.();
  }
}
