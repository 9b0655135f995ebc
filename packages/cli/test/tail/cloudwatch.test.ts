import { once } from 'node:events';
import { createServer, type IncomingMessage, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { createCloudWatch } from '@logferry/cloudwatch';
import { createShipper } from '@logferry/core';
import { describe, expect, it, onTestFinished } from 'vitest';
import { looks, looksAgain, startShop, tail } from './support.js';

const now = Date.now();
const ONE_FILTER = ['FilterLogEvents'] as const;

describe('following', () => {
  it('prints the events of all streams in order of time, and then those that a transport ships', async () => {
    const { target, put } = await startShop();
    await put('web-1', [now - 3000, 'first'], [now - 1000, 'third']);
    await put('web-2', [now - 2000, 'second']);
    const tailed = tail(target);
    await expect.poll(tailed.lines).toEqual(['INFO  first  [web-1]', 'INFO  second  [web-2]', 'INFO  third  [web-1]']);
    const { cloud: _, ...options } = target;
    const shipper = createShipper(createCloudWatch({ ...options, logStreamName: 'web-3' }));
    const text = `{"level":50,"time":${now},"pid":1,"hostname":"a","msg":"fourth","status":500}`;
    shipper.accept({ time: now, level: 'error', urgent: true, text, fields: {} });
    await shipper.close();
    await expect.poll(() => tailed.lines()[3]).toBe('ERROR fourth  status=500  [web-3]');
    expect(tailed.errors).toEqual([]);
  });

  it('prints an event that comes up to 30 s late, and none twice', async () => {
    const { emulator, target, put } = await startShop();
    await put('web-1', [now - 40_000, 'old'], [now, 'new']);
    const tailed = tail(target, { raw: true });
    await expect.poll(tailed.lines).toEqual(['old', 'new']);
    await put('web-2', [now - 29_000, 'late']);
    await put('web-2', [now - 31_000, 'too late']);
    await expect.poll(tailed.lines).toEqual(['old', 'new', 'late']);
    await looksAgain(emulator);
    expect(tailed.lines()).toEqual(['old', 'new', 'late']);
  });

  it('prints events of this time although one is ahead of it', async () => {
    const { target, put } = await startShop();
    await put('web-1', [Date.now() + 3_600_000, 'from the future']);
    const tailed = tail(target, { raw: true });
    await expect.poll(tailed.lines).toEqual(['from the future']);
    await put('web-2', [Date.now(), 'from now']);
    await expect.poll(tailed.lines).toEqual(['from the future', 'from now']);
  });

  it('prints two equal events of one time', async () => {
    const { target, put } = await startShop();
    await put('web-1', [now, 'same'], [now, 'same']);
    const tailed = tail(target, { raw: true, follow: false });
    await tailed.end;
    expect(tailed.lines()).toEqual(['same', 'same']);
  });

  it('follows one stream, or those whose names begin alike', async () => {
    const { target, put } = await startShop();
    await put('web-1', [now, 'one']);
    await put('web-2', [now + 1, 'two']);
    const one = tail({ ...target, logStreamName: 'web-2' }, { follow: false });
    const both = tail({ ...target, logStreamName: 'web-*' }, { follow: false });
    const none = tail({ ...target, logStreamName: 'api-*' }, { follow: false });
    await Promise.all([one.end, both.end, none.end]);
    expect(one.lines()).toEqual(['INFO  two']);
    expect(both.lines()).toEqual(['INFO  one  [web-1]', 'INFO  two  [web-2]']);
    expect(none.lines()).toEqual([]);
  });

  it('goes on without a token that has ended, and prints none twice', async () => {
    const { emulator, target, put } = await startShop();
    const large = 'x'.repeat(400_000);
    for (let index = 0; index < 5; index++) await put('web-1', [now + index, index + large]);
    const refused = { __type: 'InvalidParameterException', message: 'The specified nextToken is invalid.' };
    let isEnded = true;
    const server = createServer(async (incoming, response) => {
      const body = await buffer(incoming);
      const hasEnded = isEnded && body.includes('nextToken');
      if (hasEnded) isEnded = false;
      const { method, headers } = incoming;
      const answer = await new Promise<IncomingMessage>((resolve) =>
        request(emulator.url, { method, headers }, resolve).end(body),
      );
      const status = hasEnded ? 400 : (answer.statusCode ?? 502);
      const content = hasEnded ? JSON.stringify(refused) : await buffer(answer);
      const { 'content-length': _, ...others } = answer.headers;
      response.writeHead(status, others).end(content);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const tailed = tail({ ...target, endpoint: `http://127.0.0.1:${port}` }, { raw: true, follow: false });
    await tailed.end;
    expect(isEnded).toBe(false);
    expect(tailed.lines()).toEqual([0, 1, 2, 3, 4].map((index) => index + large));
  });

  it('reads all pages, also empty ones and those that are large as JSON', async () => {
    const { emulator, target, put } = await startShop();
    const large = '"'.repeat(400_000);
    for (let index = 0; index < 5; index++) await put('web-1', [now + index, index + large]);
    emulator.faults({ next: ['emptyPage', 'ok', 'emptyPage', 'emptyPage'], only: ONE_FILTER });
    const tailed = tail(target, { raw: true, follow: false });
    await tailed.end;
    expect(tailed.lines()).toEqual([0, 1, 2, 3, 4].map((index) => index + large));
    expect(emulator.stats().faults).toEqual({ emptyPage: 3 });
  });
});

describe('choosing', () => {
  it('prints the events since a time', async () => {
    const { target, put } = await startShop();
    await put('web-1', [now - 60_001, 'before'], [now - 60_000, 'since']);
    const tailed = tail(target, { raw: true, follow: false, sinceMs: now - 60_000 });
    await tailed.end;
    expect(tailed.lines()).toEqual(['since']);
  });

  it('prints a level and worse: of a number, a name or the text of a line', async () => {
    const { target, put } = await startShop();
    const messages = [
      `{"level":30,"time":${now},"msg":"pino info"}`,
      `{"level":40,"time":${now},"msg":"pino warn"}`,
      '{"level":"verbose","message":"winston verbose"}',
      '{"level":"crit","message":"winston crit"}',
      'WARNING: text',
      'text without a level',
    ];
    await put('web-1', ...messages.map((message, index) => [now + index, message] as const));
    const tailed = tail(target, { follow: false, minRank: 40 });
    await tailed.end;
    expect(tailed.lines().map((line) => line.slice(6))).toEqual([
      'pino warn  [web-1]',
      'winston crit  [web-1]',
      'WARNING: text  [web-1]',
    ]);
  });

  it('prints what an expression matches, in each event from its beginning', async () => {
    const { target, put } = await startShop();
    await put('web-1', [now, 'GET /cart'], [now + 1, 'GET /cart'], [now + 2, 'POST /cart']);
    const tailed = tail(target, { follow: false, raw: true, grep: /get \/ca/gi });
    await tailed.end;
    expect(tailed.lines()).toEqual(['GET /cart', 'GET /cart']);
  });

  it('prints raw events as they came where no terminal obeys them, and else without control characters', async () => {
    const { target, put } = await startShop();
    const message = '{"level":30,"msg":"\u202ex"}\r\n\x1b[2J\x1b]0;title\x07\ttext';
    await put('web-1', [now, message]);
    const piped = tail(target, { follow: false, raw: true }, { isTerminal: false });
    const shown = tail(target, { follow: false, raw: true });
    await Promise.all([piped.end, shown.end]);
    expect(piped.text()).toBe(`${message}\n`);
    expect(shown.text()).toBe('{"level":30,"msg":"\\u202ex"}\n\\x1b[2J\\x1b]0;title\\x07    text\n');
  });
});

describe('failures', () => {
  it('survives errors of the service and broken connections, and tells each outage once', async () => {
    const { emulator, target, put } = await startShop();
    await put('web-1', [now, 'one']);
    emulator.faults({ next: ['internalFailure', 'serverError', 'reset', 'html'], only: ONE_FILTER });
    const tailed = tail(target, { raw: true });
    await expect.poll(tailed.lines).toEqual(['one']);
    const { host } = new URL(emulator.url);
    expect(tailed.errors).toEqual([
      expect.stringMatching(`^FilterLogEvents from "shop", at ${host}: HTTP 500 InternalFailure.*; trying again$`),
    ]);
    emulator.faults({ serverError: 1, only: ONE_FILTER });
    await looksAgain(emulator);
    await put('web-1', [now + 1, 'two']);
    emulator.faults();
    await expect.poll(tailed.lines).toEqual(['one', 'two']);
    expect(tailed.errors).toEqual([expect.anything(), expect.stringContaining('HTTP 503')]);
  });

  it('gives up after some attempts if nobody follows', async () => {
    const { emulator, target } = await startShop();
    emulator.faults({ serverError: 1, only: ONE_FILTER });
    const tailed = tail(target, { follow: false, pollMs: 1 });
    await expect(tailed.end).rejects.toThrow('HTTP 503');
    expect(looks(emulator)).toBe(6);
    expect(tailed.errors).toHaveLength(1);
  });

  it('asks less often after throttling', async () => {
    const { emulator, target, put } = await startShop();
    emulator.faults({ next: ['throttle'], only: ONE_FILTER });
    const tailed = tail(target, { raw: true, pollMs: 1 });
    await put('web-1', [now, 'one']);
    await expect.poll(tailed.lines).toEqual(['one']);
    const { host } = new URL(emulator.url);
    expect(tailed.errors).toEqual([
      `FilterLogEvents from "shop", at ${host}: HTTP 400 ThrottlingException: Rate exceeded; trying again`,
    ]);
    const before = looks(emulator);
    await put('web-1', [now + 1, 'two']);
    await expect.poll(tailed.lines).toEqual(['one', 'two']);
    expect(looks(emulator)).toBe(before + 1);
  });

  it('names the remedy for a missing group, and for a missing stream', async () => {
    const { target } = await startShop();
    await expect(tail({ ...target, logGroupName: 'none' }).end).rejects.toThrow(
      /^FilterLogEvents from "none".* HTTP 400 ResourceNotFoundException: The specified log group does not exist\. \(check the name of the log group, the region and the account; /,
    );
    await expect(tail({ ...target, logStreamName: 'none' }).end).rejects.toThrow(
      /The specified log stream does not exist\. \(check the name of the log group and of its stream, /,
    );
  });

  it('ends with a remedy where credentials are refused, unless they were taken before: then it asks for others', async () => {
    const { emulator, target, put } = await startShop();
    const wrong = { accessKeyId: 'AKIAWRONG', secretAccessKey: 'wrong' };
    await expect(tail({ ...target, credentials: wrong }).end).rejects.toThrow(
      'check the credentials, and that IAM allows them logs:FilterLogEvents',
    );
    const next = { accessKeyId: 'AKIANEXT', secretAccessKey: 'next' };
    const given = [target.credentials, next];
    const tailed = tail({ ...target, credentials: async () => (given.shift() ?? next) as typeof next }, { raw: true });
    await put('web-1', [now, 'one']);
    await expect.poll(tailed.lines).toEqual(['one']);
    emulator.credentials([target.credentials as typeof next, next]);
    await put('web-1', [now + 1, 'two']);
    emulator.credentials(next);
    await looksAgain(emulator);
    expect(tailed.lines()).toEqual(['one', 'two']);
    expect(tailed.errors).toEqual([]);
  });

  it('lets no control character of an error through', async () => {
    const { target } = await startShop();
    const server = createServer((_, response) => response.writeHead(400).end('a\x1b[2Jb'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    onTestFinished(() => void server.close());
    const { port } = server.address() as AddressInfo;
    const end = tail({ ...target, endpoint: `http://127.0.0.1:${port}` }).end;
    await expect(end).rejects.toThrow('a\\x1b[2Jb');
    await expect(end).rejects.not.toThrow('\x1b');
  });
});

describe('the end', () => {
  it('comes at once by the signal while a request hangs', async () => {
    const { emulator, target } = await startShop();
    emulator.faults({ hang: 1, only: ONE_FILTER });
    const tailed = tail(target);
    await expect.poll(() => looks(emulator)).toBe(1);
    const start = performance.now();
    await tailed.stop();
    // The request would time out much later.
    expect(performance.now() - start).toBeLessThan(5000);
    expect(tailed.errors).toEqual([]);
  });

  it('comes at once by the signal while the output is blocked, and between two looks', async () => {
    const { target, put } = await startShop();
    await put('web-1', [now, 'one']);
    let isBlocked = false;
    const blocked = tail(target, {}, { out: () => new Promise(() => (isBlocked = true)) });
    await expect.poll(() => isBlocked).toBe(true);
    await blocked.stop();
    const waiting = tail(target, { pollMs: 600_000 });
    await expect.poll(waiting.lines).toHaveLength(1);
    await waiting.stop();
  });

  it('rejects if the output does', async () => {
    const { target, put } = await startShop();
    await put('web-1', [now, 'one']);
    const out = () => Promise.reject(new Error('write EPIPE'));
    await expect(tail(target, {}, { out }).end).rejects.toThrow('write EPIPE');
  });
});
