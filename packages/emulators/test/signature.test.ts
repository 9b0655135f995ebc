import { createHash } from 'node:crypto';
import { CreateLogGroupCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startCloudWatch } from '../src/index.js';
import { connect, connectChanging, connectTampering, event, GROUP, messagesIn, put, setUp, textOf } from './helpers.js';

const MISMATCH = {
  name: 'InvalidSignatureException',
  message:
    'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
  $metadata: expect.objectContaining({ httpStatusCode: 400 }),
};

const changed = (body: string | Uint8Array) => textOf(body).replace('hello', 'HELLO');
const sha256 = (body: string | Uint8Array) => createHash('sha256').update(body).digest('hex');

describe('the body of a request', () => {
  it('changed after signing is refused', async () => {
    const { emulator } = await setUp();
    const client = connectTampering(emulator, (request) => {
      request.body = changed(request.body);
    });
    await expect(put(client, [event('hello')])).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      message: "The provided 'x-amz-content-sha256' header does not match what was computed.",
    });
    expect(emulator.stats()).toMatchObject({ violationCount: 1, storedEvents: 0 });
  });

  it('changed together with its hash header is refused', async () => {
    const { emulator } = await setUp();
    const client = connectTampering(emulator, (request) => {
      request.body = changed(request.body);
      request.headers['x-amz-content-sha256'] = sha256(request.body);
    });
    await expect(put(client, [event('hello')])).rejects.toMatchObject(MISMATCH);
  });

  it('is covered by the signature even without a hash header', async () => {
    const { emulator } = await setUp();
    const unhashed = connect(emulator, { applyChecksum: false } as object);
    await put(unhashed, [event('hello')]);
    unhashed.middlewareStack.add(
      (next) => async (args) => {
        const request = args.request as { headers: Record<string, string>; body: string };
        expect(request.headers).not.toHaveProperty('x-amz-content-sha256');
        request.body = changed(request.body);
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    await expect(put(unhashed, [event('hello')])).rejects.toMatchObject(MISMATCH);
    expect(messagesIn(emulator)).toEqual(['hello']);
  });

  it('must not be declared UNSIGNED-PAYLOAD', async () => {
    const { emulator } = await setUp();
    const client = connectChanging(emulator, (request) => {
      request.headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD';
    });
    await expect(put(client, [event()])).rejects.toMatchObject({ name: 'InvalidSignatureException' });
  });
});

describe('the credentials of a request', () => {
  it('with an unknown access key are refused', async () => {
    const { emulator } = await setUp();
    const client = connect(emulator, { credentials: { accessKeyId: 'AKIAOTHER', secretAccessKey: 'x' } });
    await expect(put(client, [event()])).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
      message: 'The security token included in the request is invalid.',
    });
    expect(emulator.stats().violationCount).toBe(1);
  });

  it('with a wrong secret are refused', async () => {
    const { emulator } = await setUp();
    const credentials = { accessKeyId: emulator.env.AWS_ACCESS_KEY_ID, secretAccessKey: 'wrong' };
    await expect(put(connect(emulator, { credentials }), [event()])).rejects.toMatchObject(MISMATCH);
  });

  it('can be set in the options, like the region', async () => {
    const credentials = { accessKeyId: 'AKIAMINE', secretAccessKey: 'mine' };
    const { emulator, client } = await setUp({ credentials, region: 'eu-west-1' });
    expect(emulator.env).toEqual({
      AWS_ENDPOINT_URL_CLOUDWATCH_LOGS: emulator.url,
      AWS_REGION: 'eu-west-1',
      AWS_ACCESS_KEY_ID: 'AKIAMINE',
      AWS_SECRET_ACCESS_KEY: 'mine',
    });
    await put(client, [event('hello')]);
    expect(messagesIn(emulator)).toEqual(['hello']);
  });

  it('may carry a session token', async () => {
    const { emulator } = await setUp();
    const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = emulator.env;
    const client = connect(emulator, { credentials: { accessKeyId, secretAccessKey, sessionToken: 'session' } });
    await put(client, [event('hello')]);
    expect(messagesIn(emulator)).toEqual(['hello']);
  });

  it('must be for the emulator’s region and service', async () => {
    const { emulator } = await setUp();
    await expect(put(connect(emulator, { region: 'eu-west-1' }), [event()])).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      message: 'Credential should be scoped to a valid region.',
    });
    const client = connectTampering(emulator, ({ headers }) => {
      headers.authorization = headers.authorization?.replace('/logs/', '/s3/') ?? '';
    });
    await expect(put(client, [event()])).rejects.toThrow("Credential should be scoped to correct service: 'logs'.");
  });
});

describe('the Authorization header', () => {
  it('is required', async () => {
    const { emulator } = await setUp();
    const client = connectTampering(emulator, ({ headers }) => {
      delete headers.authorization;
    });
    await expect(put(client, [event()])).rejects.toMatchObject({ name: 'MissingAuthenticationTokenException' });
  });

  it('must be complete', async () => {
    const { emulator } = await setUp();
    const client = connectTampering(emulator, ({ headers }) => {
      headers.authorization = headers.authorization?.replace(/, Signature=.*/, '') ?? '';
    });
    await expect(put(client, [event()])).rejects.toMatchObject({ name: 'IncompleteSignatureException' });
  });

  it('must carry the signature of this request', async () => {
    const { emulator } = await setUp();
    const client = connectTampering(emulator, ({ headers }) => {
      headers.authorization = headers.authorization?.replace(/Signature=.*/, `Signature=${'0'.repeat(64)}`) ?? '';
    });
    await expect(put(client, [event()])).rejects.toMatchObject(MISMATCH);
  });

  it.each(['host', 'content-type', 'x-amz-target', 'x-amz-date'])('must sign %s', async (name) => {
    const { emulator } = await setUp();
    const client = connectTampering(emulator, ({ headers }) => {
      headers.authorization = headers.authorization?.replace(`;${name};`, ';') ?? '';
    });
    await expect(put(client, [event()])).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      message: `'${name}' must be a 'SignedHeader' in the AWS Authorization.`,
    });
  });

  it.each([
    ['content-encoding', 'gzip'],
    ['x-amz-anything', 'v'],
  ])('must sign %s when it is sent', async (name, value) => {
    const { emulator } = await setUp();
    const client = connectTampering(emulator, ({ headers }) => {
      headers[name] = value;
    });
    await expect(put(client, [event()])).rejects.toThrow(
      `'${name}' must be a 'SignedHeader' in the AWS Authorization.`,
    );
  });

  it('is refused if a signed header was changed', async () => {
    const { emulator } = await setUp();
    const client = connectTampering(emulator, ({ headers }) => {
      headers['x-amz-target'] = 'Logs_20140328.DeleteLogGroup';
    });
    await expect(put(client, [event()])).rejects.toMatchObject(MISMATCH);
  });

  it.each(['today', '20261340T000000Z'])('is refused with the date %s', async (date) => {
    const { emulator } = await setUp();
    const client = connectTampering(emulator, ({ headers }) => {
      headers['x-amz-date'] = date;
    });
    await expect(put(client, [event()])).rejects.toMatchObject({
      name: 'IncompleteSignatureException',
      message: `Date must be in ISO-8601 'basic format'. Got '${date}'.`,
    });
  });

  it('must have the date of x-amz-date in its scope', async () => {
    const { emulator } = await setUp();
    const client = connectTampering(emulator, ({ headers }) => {
      headers.authorization = headers.authorization?.replace(/\/\d{8}\//, '/20000101/') ?? '';
    });
    await expect(put(client, [event()])).rejects.toThrow('Date in Credential scope does not match YYYYMMDD');
  });
});

describe('the time of a signature', () => {
  it.each([
    [
      'expired',
      6 * 60_000,
      /^Signature expired: \d{8}T\d{6}Z is now earlier than \d{8}T\d{6}Z \(\d{8}T\d{6}Z - 5 min\.\)$/,
    ],
    ['in the future', -6 * 60_000, /^Signature not yet current: \d{8}T\d{6}Z is still later than /],
  ])('is refused when %s by more than 5 minutes', async (_, aheadMs, message) => {
    let aheadNow = 0;
    const { emulator, client } = await setUp({ clock: () => Date.now() + aheadNow });
    aheadNow = aheadMs;
    await expect(put(client, [event()])).rejects.toMatchObject({
      name: 'InvalidSignatureException',
      message: expect.stringMatching(message),
    });
    expect(emulator.stats().violationCount).toBe(1);
  });

  it('is corrected by the SDK, which reads the service’s time from the Date header', async () => {
    const aheadMs = 3_600_000;
    const emulator = await startCloudWatch({ clock: () => Date.now() + aheadMs });
    onTestFinished(() => emulator.close());
    const client = connect(emulator, { maxAttempts: 2 });
    await client.send(new CreateLogGroupCommand({ logGroupName: GROUP }));
    expect(emulator.stats()).toMatchObject({ requests: { CreateLogGroup: 2 }, violationCount: 1 });
  });
});

describe('unsigned requests', () => {
  it('are refused before their content is checked', async () => {
    const { emulator } = await setUp();
    const response = await fetch(emulator.url, {
      method: 'POST',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Logs_20140328.PutLogEvents' },
      body: JSON.stringify({ logGroupName: GROUP }),
    });
    expect(response.status).toBe(400);
    expect(response.headers.get('x-amzn-errortype')).toBe('MissingAuthenticationTokenException');
    expect(await response.json()).toEqual({
      __type: 'MissingAuthenticationTokenException',
      message: 'Missing Authentication Token',
    });
  });
});
