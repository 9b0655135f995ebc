import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { pathToFileURL } from 'node:url';
import { assertBalanced, type DeliveryOptions } from '@logferry/core';
import { DestinationTransport } from '@logferry/winston';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import winston from 'winston';
// @ts-expect-error a third party's module in JavaScript
import { createFileDestination } from './file-destination.mjs';
import { runCode } from './run.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'logferry-hooks-'));
});
const started: DestinationTransport[] = [];
afterEach(async () => {
  for (const transport of started.splice(0)) {
    transport.end();
    await once(transport, 'finish');
    assertBalanced(transport.stats());
  }
  rmSync(folder, { recursive: true });
});

/** Writes a module, and returns its path. */
function module(name: string, code: string): string {
  const path = join(folder, name);
  writeFileSync(path, code);
  return path;
}

function start(
  options: DeliveryOptions,
  own: object = {},
): { logger: winston.Logger; transport: DestinationTransport } {
  const destination = createFileDestination({ file: join(folder, 'stored.log'), ...own });
  const transport = new DestinationTransport({ destination, thread: true, ...options });
  started.push(transport);
  const format = winston.format.printf(({ message }) => String(message));
  return { logger: winston.createLogger({ format, transports: [transport] }), transport };
}

const linesOf = (name: string): string[] => readFileSync(join(folder, name), 'utf8').split('\n').slice(0, -1);

const UPPER = 'transform = (record) => ({ ...record, text: record.text.toUpperCase() })';

const MARK = "export const transform = (record) => ({ ...record, text: 'marked ' + record.text });";

describe('the module of the option hooks', () => {
  it.each<[kind: string, name: string, code: string, nameOf: (path: string) => string]>([
    ['an ES module', 'hooks.mjs', `export const ${UPPER};`, (path) => path],
    ['a CommonJS module', 'hooks.cjs', `exports.${UPPER};`, (path) => path],
    [
      'a CommonJS module whose names Node.js does not find',
      'all.cjs',
      `const ${UPPER}; module.exports = Object.fromEntries([['transform', transform]]);`,
      (path) => path,
    ],
    ['a module with a relative path', 'near.mjs', `export const ${UPPER};`, (path) => relative(process.cwd(), path)],
    ['a module with a URL', 'url.mjs', `export const ${UPPER};`, (path) => pathToFileURL(path).href],
    [
      'a module with a top-level await',
      'await.mjs',
      `export const ${UPPER}; await new Promise(setImmediate);`,
      (path) => path,
    ],
  ])('may be %s', async (_kind, name, code, nameOf) => {
    const { logger, transport } = start({ hooks: nameOf(module(name, code)) });
    logger.info('shout');
    await transport.flush();
    expect(linesOf('stored.log')).toEqual(['SHOUT']);
  });

  it.each<[what: string, name: string, code: string | undefined, message: RegExp]>([
    [
      'is missing',
      'none.mjs',
      undefined,
      /hooks: expected the path or the file: URL of a module \(there is no .*none\.mjs\), got "/,
    ],
    ['throws', 'throws.mjs', 'throw new Error("mine");', /hooks: file:.*throws\.mjs cannot be loaded: mine/],
    ['is not JavaScript', 'text.mjs', 'export const = 7;', /text\.mjs cannot be loaded: Unexpected token/],
    [
      'exports none of the functions',
      'empty.mjs',
      'export const other = 7;',
      /empty\.mjs exports none of onError, onDrop, route, transform, credentials/,
    ],
    [
      'misspells one',
      'misspelt.mjs',
      'export const onDrop = () => {}; export function onerror() {}',
      /exports onerror: did you mean "onError"\?/,
    ],
    [
      'exports something else than a function',
      'number.mjs',
      'export const transform = 7;',
      /exports transform, which is no function/,
    ],
  ])('that %s is an error at construction', async (_what, name, code, message) => {
    const path = join(folder, name);
    if (code !== undefined) module(name, code);
    expect(() => start({ hooks: path })).toThrow(
      expect.objectContaining({ code: 'CONFIG', option: 'hooks', message: expect.stringMatching(message) }),
    );
  });

  it('may not export what is an option as well, or is no option of the destination', () => {
    const path = module('credentials.mjs', 'export const credentials = async () => ({});');
    expect(() => start({ hooks: path }, { credentials: { accessKeyId: 'x' } })).toThrow(
      /credentials: expected to be absent beside hooks/,
    );
  });

  it('is refused without a thread, where functions can be options', () => {
    expect(() => start({ thread: false, hooks: module('h.mjs', 'export const onDrop = () => {}') })).toThrow(
      /hooks: expected to be absent without thread: true/,
    );
  });

  it('may use other modules, and is not run in the thread of the application', async () => {
    module(
      'shared.mjs',
      `import { isMainThread } from 'node:worker_threads'; export const mark = isMainThread ? 'main' : 'worker';`,
    );
    const { logger, transport } = start({
      hooks: module(
        'hooks.mjs',
        `import { mark } from './shared.mjs'; export const transform = (record) => ({ ...record, text: record.text + ' ' + mark });`,
      ),
    });
    logger.info('in the');
    await transport.flush();
    expect(linesOf('stored.log')).toEqual(['in the worker']);
  });
});

describe('callbacks of hooks', () => {
  it('are called in the worker, which then writes nothing to stderr', async () => {
    const told = join(folder, 'told.log');
    const hooks = module(
      'callbacks.mjs',
      `import { appendFileSync } from 'node:fs';
      const tell = (line) => appendFileSync(${JSON.stringify(told)}, line + '\\n');
      export const onError = ({ code }) => tell('error ' + code);
      export const onDrop = ({ reason, records, events }) => tell('drop ' + reason + ' ' + records + ' ' + events.map(({ payload }) => payload));`,
    );
    const { code, stderr } = await runCode(
      `import winston from 'winston';
      import { DestinationTransport } from '@logferry/winston';
      import { createFileDestination } from './file-destination.mjs';
      const destination = createFileDestination({ file: ${JSON.stringify(join(folder, 'stored.log'))}, down: true });
      const transport = new DestinationTransport({ destination, thread: true, hooks: ${JSON.stringify(hooks)}, maxDelayMs: 0, closeTimeoutMs: 300, maxBatchBytes: 1024 });
      const format = winston.format.printf(({ message }) => message);
      const logger = winston.createLogger({ format, transports: [transport] });
      const warnings = [];
      logger.on('warn', (error) => warnings.push(error));
      logger.info('<refuse>');
      logger.info('lost');
      const report = await transport.close({ timeoutMs: 300 });
      logger.end();
      await new Promise((resolve) => transport.once('finish', resolve));
      if (report.dropped.invalid !== 1) process.exitCode = 3;`,
    );
    expect(stderr).toBe('');
    expect(code).toBe(0);
    const lines = linesOf('told.log');
    expect(lines).toContain('drop invalid 1 ');
    expect(lines).toContain('drop undeliverable 1 lost');
  });
});

describe('a worker with hooks that dies', () => {
  it('is replaced by another one, and then by none: the main thread does not have the functions', async () => {
    const { logger, transport } = start({ hooks: module('mark.mjs', MARK), maxDelayMs: 0, dropNotice: false });
    const warnings: Error[] = [];
    logger.on('warn', (warning) => warnings.push(warning));
    logger.info('first');
    await transport.flush();
    for (let death = 1; death <= 2; death++) {
      logger.info('<exit>');
      await expect.poll(() => warnings.length, { timeout: 20_000 }).toBe(death);
      logger.info(`after death ${death}`);
      await transport.flush();
    }
    expect(linesOf('stored.log')).toEqual(['marked first', 'marked after death 1']);
    expect(warnings[1]?.message).toContain('records are dropped for 10 minutes');
    expect(transport.stats().dropped.undeliverable).toBe(3);
  });
});
