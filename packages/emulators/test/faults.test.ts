import { CreateLogGroupCommand, CreateLogStreamCommand } from '@aws-sdk/client-cloudwatch-logs';
import { describe, expect, it } from 'vitest';
import type { CloudWatchFaultPlan } from '../src/index.js';
import { connect, event, GROUP, messagesIn, put, putBody, STREAM, setUp } from './helpers.js';

describe('a fault', () => {
  it.each([
    ['throttle', 400, 'ThrottlingException', 'Rate exceeded'],
    ['serverError', 503, 'ServiceUnavailableException', expect.any(String)],
    ['internalFailure', 500, 'InternalFailure', expect.any(String)],
    ['accessDenied', 400, 'AccessDeniedException', expect.stringContaining('logs:PutLogEvents')],
    ['operationAborted', 400, 'OperationAbortedException', expect.stringContaining('Please try again.')],
  ] as const)('%s gives HTTP %i %s', async (fault, httpStatusCode, name, message) => {
    const { emulator, client } = await setUp();
    emulator.faults({ [fault]: 1 });
    await expect(put(client, [event()])).rejects.toMatchObject({ name, message, $metadata: { httpStatusCode } });
    expect(emulator.stats()).toMatchObject({ faults: { [fault]: 1 }, acceptedPuts: 0, violationCount: 0 });
    expect(emulator.events()).toEqual([]);
  });

  it.each([
    ['html', 502],
    ['tooLarge', 413],
  ] as const)('%s gives HTTP %i with a body that is not JSON', async (fault, httpStatusCode) => {
    const { emulator, client } = await setUp();
    emulator.faults({ [fault]: 1 });
    await expect(put(client, [event()])).rejects.toMatchObject({ name: 'SyntaxError', $metadata: { httpStatusCode } });
    expect(emulator.events()).toEqual([]);
  });

  it('reset resets the connection and stores nothing', async () => {
    const { emulator, client } = await setUp();
    emulator.faults({ reset: 1 });
    await expect(put(client, [event()])).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(emulator.events()).toEqual([]);
  });

  it('lostAck stores the events and resets the connection', async () => {
    const { emulator, client } = await setUp();
    emulator.faults({ lostAck: 1 });
    await expect(put(client, [event('hello')])).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(messagesIn(emulator)).toEqual(['hello']);
    expect(emulator.stats()).toMatchObject({ acceptedPuts: 1, faults: { lostAck: 1 } });
  });

  it('hang gives no response until close() resets the connection', async () => {
    const { emulator, client } = await setUp();
    emulator.faults({ hang: 1 });
    const hanging = put(client, [event()]);
    const failed = expect(hanging).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect.poll(() => emulator.stats().faults).toEqual({ hang: 1 });
    emulator.faults();
    await put(client, [event('responded')]);
    await emulator.close();
    await failed;
    expect(messagesIn(emulator)).toEqual(['responded']);
  });

  it('rejectOld rejects every event as too old and stores none', async () => {
    const { emulator, client } = await setUp();
    emulator.faults({ rejectOld: 1 });
    const output = await put(client, [event('a'), event('b')]);
    expect(output.rejectedLogEventsInfo).toEqual({ tooOldLogEventEndIndex: 2 });
    expect(emulator.events()).toEqual([]);
    emulator.faults();
    expect((await put(client, [event('c')])).rejectedLogEventsInfo).toBeUndefined();
  });

  it('down resets the connection of every request, for any operation', async () => {
    const { emulator, client } = await setUp();
    emulator.faults({ down: true });
    await expect(put(client, [event()])).rejects.toMatchObject({ code: 'ECONNRESET' });
    const command = new CreateLogGroupCommand({ logGroupName: 'new' });
    await expect(client.send(command)).rejects.toMatchObject({ code: 'ECONNRESET' });
    expect(emulator.stats().faults).toEqual({ down: 2 });
    emulator.faults({});
    await client.send(command);
  });

  it('delayMs delays the response, but not the storage', async () => {
    const { emulator, client } = await setUp();
    for (const delayMs of [30, [30, 40]] as const) {
      emulator.faults({ delayMs });
      const begin = performance.now();
      await put(client, [event()]);
      expect(performance.now() - begin).toBeGreaterThan(28);
    }
    emulator.faults({ delayMs: 600_000 });
    const held = put(client, [event('stored')]);
    const failed = expect(held).rejects.toMatchObject({ code: 'ECONNRESET' });
    await expect.poll(() => messagesIn(emulator)).toContain('stored');
    await emulator.close();
    await failed;
  });

  it('retryAfterSeconds is sent with throttling and 5xx responses', async () => {
    const { emulator, client } = await setUp();
    emulator.faults({ next: ['throttle', 'serverError', 'internalFailure', 'html'], retryAfterSeconds: 7 });
    for (let n = 0; n < 4; n++) {
      const error = await put(client, [event()]).catch((thrown) => thrown);
      expect(error.$response.headers['retry-after']).toBe('7');
    }
  });

  it('poison refuses every batch that contains the bad message', async () => {
    const { emulator, client } = await setUp();
    emulator.faults({ poison: (message) => message.includes('bad') });
    for (let n = 0; n < 2; n++) {
      await expect(put(client, [event('good'), event('bad')])).rejects.toMatchObject({
        name: 'InvalidParameterException',
        $metadata: { httpStatusCode: 400 },
      });
    }
    await put(client, [event('good')]);
    expect(messagesIn(emulator)).toEqual(['good']);
    expect(emulator.stats()).toMatchObject({ faults: { poison: 2 }, violationCount: 0 });
  });
});

describe('the choice of requests that meet faults', () => {
  const outcomes = async (plan: CloudWatchFaultPlan, seed: number, count = 40) => {
    const { emulator, client } = await setUp({ seed });
    emulator.faults(plan);
    const names: string[] = [];
    for (let n = 0; n < count; n++) {
      names.push(
        await put(client, [event()]).then(
          () => 'ok',
          (error) => error.name,
        ),
      );
    }
    return names;
  };

  it('follows next, and then the probabilities', async () => {
    expect(await outcomes({ next: ['throttle', 'ok', 'serverError'], accessDenied: 1 }, 1, 4)).toEqual([
      'ThrottlingException',
      'ok',
      'ServiceUnavailableException',
      'AccessDeniedException',
    ]);
  });

  it('is random, and the same for the same seed', async () => {
    const plan = { throttle: 0.3, serverError: 0.3 };
    const first = await outcomes(plan, 7);
    expect(await outcomes(plan, 7)).toEqual(first);
    expect(await outcomes(plan, 8)).not.toEqual(first);
    expect(new Set(first)).toEqual(new Set(['ok', 'ThrottlingException', 'ServiceUnavailableException']));
  });

  it('restarts its random sequence with every plan', async () => {
    const { emulator, client } = await setUp();
    const rounds: string[][] = [[], []];
    for (const round of rounds) {
      emulator.faults({ throttle: 0.5 });
      for (let n = 0; n < 20; n++) {
        round.push(
          await put(client, [event()]).then(
            () => 'ok',
            (error) => error.name,
          ),
        );
      }
    }
    expect(rounds[1]).toEqual(rounds[0]);
  });

  it('follows the probabilities over many requests', async () => {
    const names = await outcomes({ throttle: 0.25 }, 1, 400);
    const throttled = names.filter((name) => name !== 'ok').length;
    expect(throttled).toBeGreaterThan(70);
    expect(throttled).toBeLessThan(130);
  });

  it('covers only PutLogEvents by default, or the operations in only', async () => {
    const { emulator, client } = await setUp();
    emulator.faults({ throttle: 1 });
    await client.send(new CreateLogGroupCommand({ logGroupName: 'a' }));
    emulator.faults({ operationAborted: 1, only: ['CreateLogGroup'] });
    await put(client, [event()]);
    await expect(client.send(new CreateLogGroupCommand({ logGroupName: 'b' }))).rejects.toMatchObject({
      name: 'OperationAbortedException',
    });
  });

  it('can be limited to a stream, a group, or requests with a certain message', async () => {
    const { emulator, client } = await setUp();
    await client.send(new CreateLogStreamCommand({ logGroupName: GROUP, logStreamName: 'web-2' }));
    for (const where of [
      { logStreamName: STREAM },
      { messageIncludes: 'one' },
      { logGroupName: GROUP, messageIncludes: 'one' },
    ]) {
      emulator.faults({ throttle: 1, where });
      await expect(put(client, [event('zero'), event('one')])).rejects.toMatchObject({ name: 'ThrottlingException' });
      await put(client, [event('two')], { logStreamName: 'web-2' });
    }
    emulator.faults({ throttle: 1, where: { logGroupName: 'other' } });
    await put(client, [event('three')]);
    expect(messagesIn(emulator)).toEqual(['two', 'two', 'two', 'three']);
  });

  it('does not consume next for requests out of scope', async () => {
    const { emulator, client } = await setUp();
    emulator.faults({ next: ['throttle'], where: { messageIncludes: 'one' } });
    await put(client, [event('two')]);
    await expect(put(client, [event('one')])).rejects.toMatchObject({ name: 'ThrottlingException' });
    await put(client, [event('one')]);
  });

  it('excludes requests that fail the signature check or cannot be parsed', async () => {
    const { emulator } = await setUp();
    emulator.faults({ throttle: 1 });
    const client = connect(emulator, { credentials: { accessKeyId: 'AKIAOTHER', secretAccessKey: 'x' } });
    await expect(put(client, [event()])).rejects.toMatchObject({ name: 'UnrecognizedClientException' });
    await expect(putBody(emulator, '{')).rejects.toMatchObject({ name: 'SerializationException' });
  });
});

describe('faults()', () => {
  it.each([
    [{ throtle: 1 }, 'faults: throtle: unknown name; did you mean "throttle"?'],
    [{ throttle: 1.1 }, 'faults: throttle: expected a number from 0 to 1, got 1.1'],
    [{ hang: -0.1 }, 'faults: hang: expected a number from 0 to 1, got -0.1'],
    [{ reset: '1' }, 'faults: reset: expected a number from 0 to 1, got "1"'],
    [{ throttle: 0.6, reset: 0.6 }, 'faults: expected probabilities with a sum of at most 1, got a sum of 1.2'],
    [{ next: ['throtle'] }, 'faults: next[0]: expected "ok" or "throttle" or '],
    [{ delayMs: [5, 1] }, 'faults: delayMs[1]: expected a number of at least 5, got 1'],
    [{ delayMs: -1 }, 'faults: delayMs: expected a number of at least 0, got -1'],
    [{ delayMs: [1, 2, 3] }, 'faults: delayMs: expected milliseconds or [min, max], got 3 numbers'],
    [{ retryAfterSeconds: -1 }, 'faults: retryAfterSeconds: expected a number of at least 0, got -1'],
    [{ only: 'PutLogEvents' }, 'faults: only: expected an array, got "PutLogEvents"'],
    [{ only: ['PutLogEvent'] }, 'faults: only[0]: expected "CreateLogGroup" or '],
    [{ where: { logGroup: 'shop' } }, 'faults: where.logGroup: unknown name; did you mean "logGroupName"?'],
    [{ poison: 'x' }, 'faults: poison: expected a function, got "x"'],
    [null, 'faults: expected an object with throttle, serverError,'],
  ])('refuses %o and keeps the old plan', async (plan, message) => {
    const { emulator, client } = await setUp();
    emulator.faults({ throttle: 1 });
    expect(() => emulator.faults(plan as CloudWatchFaultPlan)).toThrow(message);
    await expect(put(client, [event()]), 'the old plan stays').rejects.toMatchObject({ name: 'ThrottlingException' });
  });

  it('accepts probabilities whose sum exceeds 1 only by rounding', async () => {
    const { emulator } = await setUp();
    const plan = { throttle: 0.05, html: 0.05, hang: 0.05, reset: 0.2, lostAck: 0.55, serverError: 0.1 };
    emulator.faults(plan);
  });
});
