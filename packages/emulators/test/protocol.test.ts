import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { connectChanging, event, events, messagesIn, NOW, put, putBody, setUp, TARGET, textOf } from './helpers.js';

const BODY = JSON.stringify({ ...TARGET, logEvents: [event('hello')] });

describe('a body', () => {
  it.each([
    ['is not JSON', '{"logGroupName":'],
    ['is not an object', '[]'],
    ['is empty', ''],
    ['starts with a byte order mark', `\ufeff${BODY}`],
  ])('that %s is refused', async (_, body) => {
    const { emulator } = await setUp();
    await expect(putBody(emulator, body)).rejects.toMatchObject({
      name: 'SerializationException',
      $metadata: { httpStatusCode: 400 },
    });
    expect(emulator.stats().violationCount).toBe(1);
  });

  it('that is not UTF-8 is refused', async () => {
    const { emulator } = await setUp();
    const body = Buffer.from(BODY.replace('hello', 'h\u00e9'), 'latin1');
    await expect(putBody(emulator, body)).rejects.toMatchObject({ name: 'SerializationException' });
  });

  it('with a raw lone surrogate is refused', async () => {
    const { emulator } = await setUp();
    const body = Buffer.concat([
      Buffer.from(BODY.slice(0, -4)),
      Buffer.from([0xed, 0xa0, 0x80]),
      Buffer.from(BODY.slice(-4)),
    ]);
    await expect(putBody(emulator, body)).rejects.toMatchObject({ name: 'SerializationException' });
  });

  it('larger than 16 MiB is refused', async () => {
    const { emulator } = await setUp();
    const body = BODY + ' '.repeat(16 * 1024 * 1024);
    await expect(putBody(emulator, body)).rejects.toMatchObject({ $metadata: { httpStatusCode: 413 } });
  });

  it('needs a Content-Length', async () => {
    const { emulator } = await setUp();
    const request = httpRequest(emulator.url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Logs_20140328.PutLogEvents' },
    });
    request.write(BODY.slice(0, 10));
    request.end(BODY.slice(10));
    const [response] = await once(request, 'response');
    expect(response.statusCode).toBe(411);
    response.resume();
    expect(emulator.stats().violations).toMatchObject([{ error: 'MissingContentLength' }]);
  });
});

describe('Content-Encoding', () => {
  const compressing = (encoding: string, compress: (body: string) => Uint8Array | string) =>
    setUp().then(({ emulator }) => ({
      emulator,
      client: connectChanging(emulator, (request) => {
        request.body = compress(textOf(request.body));
        request.headers['content-encoding'] = encoding;
      }),
    }));

  it('gzip is decoded', async () => {
    const { emulator, client } = await compressing('gzip', gzipSync);
    await put(client, [event('hello'.repeat(100))]);
    expect(messagesIn(emulator)).toEqual(['hello'.repeat(100)]);
    const { wireBytes, storedBytes } = emulator.stats();
    expect(wireBytes).toBeLessThan(storedBytes);
  });

  it('gzip does not change the limits, which count decoded bytes', async () => {
    const { client } = await compressing('gzip', gzipSync);
    await expect(put(client, events(2, 'x'.repeat(600_000)))).rejects.toThrow('Upload too large: 1200052 bytes');
  });

  it.each([
    ['gzip on a body that is not compressed', 'gzip', (body: string) => body],
    ['br, which is not supported', 'br', (body: string) => body],
  ])('%s is refused', async (_, encoding, compress) => {
    const { client } = await compressing(encoding, compress);
    await expect(put(client, [event()])).rejects.toMatchObject({ name: 'SerializationException' });
  });
});

describe('a request', () => {
  it('for an operation that the emulator does not have is refused, and is a violation with strict: true', async () => {
    const { emulator } = await setUp();
    const client = connectChanging(emulator, ({ headers }) => {
      headers['x-amz-target'] = 'Logs_20140328.PutTeapot';
    });
    await expect(put(client, [event()])).rejects.toMatchObject({
      name: 'UnknownOperationException',
      $metadata: { httpStatusCode: 400 },
    });
    expect(emulator.stats()).toMatchObject({
      requests: { Unknown: 1 },
      unsupported: { PutTeapot: 1 },
      violations: [{ operation: 'PutTeapot', error: 'UnknownOperationException' }],
    });
  });

  it.each([
    ['of another service', 'x-amz-target', 'DynamoDB_20120810.PutItem'],
    ['of another content type', 'content-type', 'application/json'],
  ])('%s is refused', async (_, header, value) => {
    const { emulator } = await setUp();
    const client = connectChanging(emulator, ({ headers }) => {
      headers[header] = value;
    });
    await expect(put(client, [event()])).rejects.toMatchObject({ name: 'UnknownOperationException' });
  });

  it('other than POST / is refused', async () => {
    const { emulator } = await setUp();
    expect((await fetch(emulator.url, { method: 'PUT', body: '{}' })).status).toBe(400);
    expect((await fetch(`${emulator.url}/path`, { method: 'POST', body: '{}' })).status).toBe(400);
    expect(emulator.stats().requests).toMatchObject({ Unknown: 2 });
  });

  it('gets the service’s date', async () => {
    const { emulator } = await setUp();
    const response = await fetch(emulator.url, { method: 'POST' });
    expect(response.headers.get('date')).toBe(new Date(NOW).toUTCString());
  });
});
