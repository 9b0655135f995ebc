import { inspect } from 'node:util';
import { VirtualClock } from '@logferry/core/testing';
import { expect, it, onTestFinished, vi } from 'vitest';
import type { AccessKey } from '../../src/signed/access-key.js';
import { createCredentialsSource } from '../../src/signed/credentials.js';
import type { LogServiceExpiringKey } from '../../src/signed/credentials-option.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A key for each generation. */
function keyOf(generation: number): AccessKey {
  return {
    accessKeyId: `STS.${generation}`,
    accessKeySecret: `secret${generation}`,
    securityToken: `token${generation}`,
  };
}

/** A source of a function that gives a new key with each call. */
function start(lifeMs?: number) {
  const clock = new VirtualClock();
  let generation = 0;
  const ask = vi.fn(async (): Promise<LogServiceExpiringKey> => {
    const expiration = lifeMs === undefined ? undefined : new Date(clock.now() + lifeMs);
    return { ...keyOf(++generation), expiration };
  });
  return { clock, ask, source: createCredentialsSource(ask, { clock }) };
}

/** Answers that come when the test gives them. */
function delayed<T>() {
  const open: OpenAnswer<T>[] = [];
  const ask = vi.fn((): Promise<T> => {
    let resolve!: (value: T) => void;
    let reject!: (reason: unknown) => void;
    const promise = new Promise<T>((...both) => {
      [resolve, reject] = both;
    });
    open.push({ promise, resolve, reject });
    return promise;
  });
  return { ask, open };
}

interface OpenAnswer<T> {
  readonly promise: Promise<T>;
  readonly resolve: (value: T) => void;
  readonly reject: (reason: unknown) => void;
}

it('asks a function with the first batch, and once for all that come together', async () => {
  const { source, ask } = start();
  expect(ask).not.toHaveBeenCalled();
  const keys = await Promise.all([source.get(), source.get(), source.get()]);
  expect(keys).toEqual([keyOf(1), keyOf(1), keyOf(1)]);
  expect(ask).toHaveBeenCalledTimes(1);
});

it('takes a key that a function returns without a promise', async () => {
  expect(await createCredentialsSource(() => keyOf(1)).get()).toEqual(keyOf(1));
});

it('uses a key without expiration for ever', async () => {
  const { source, ask, clock } = start();
  await source.get();
  await clock.advance(1000 * HOUR_MS);
  expect(await source.get()).toEqual(keyOf(1));
  expect(ask).toHaveBeenCalledTimes(1);
});

it.each([
  [HOUR_MS, 55 * MINUTE_MS],
  [15 * MINUTE_MS, 13.5 * MINUTE_MS],
])('renews a key of %d ms after %d ms, while batches go on with the old one', async (lifeMs, renewedMs) => {
  const { source, ask, clock } = start(lifeMs);
  await source.get();
  await clock.advance(renewedMs - 1);
  await source.get();
  expect(ask).toHaveBeenCalledTimes(1);
  await clock.advance(1);
  expect(await source.get()).toEqual(keyOf(1));
  expect(ask).toHaveBeenCalledTimes(2);
  await clock.settle();
  expect(await source.get()).toEqual(keyOf(2));
  expect(ask).toHaveBeenCalledTimes(2);
});

it('waits for no renewal that hangs while the key is valid, and then for it', async () => {
  const clock = new VirtualClock();
  const { ask, open } = delayed<LogServiceExpiringKey>();
  const source = createCredentialsSource(ask, { clock });
  const first = source.get();
  await clock.settle();
  open[0]?.resolve({ ...keyOf(1), expiration: new Date(clock.now() + 100_000) });
  await first;
  await clock.advance(95_000);
  expect(await source.get()).toEqual(keyOf(1));
  expect(await source.get()).toEqual(keyOf(1));
  expect(ask).toHaveBeenCalledTimes(2);
  await clock.advance(5000);
  const last = source.get();
  open[1]?.resolve(keyOf(2));
  expect(await last).toEqual(keyOf(2));
  expect(ask).toHaveBeenCalledTimes(2);
});

it('goes on with a valid key while the renewal fails, asks every 5 s, and fails once the key has ended', async () => {
  const { source, ask, clock } = start(HOUR_MS);
  await source.get();
  ask.mockRejectedValue(new Error('the vault is shut'));
  await clock.advance(55 * MINUTE_MS);
  for (let count = 0; count < 3; count++) {
    expect(await source.get()).toEqual(keyOf(1));
    await clock.settle();
  }
  expect(ask).toHaveBeenCalledTimes(2);
  await clock.advance(5000);
  expect(await source.get()).toEqual(keyOf(1));
  expect(ask).toHaveBeenCalledTimes(3);
  await clock.advance(5 * MINUTE_MS);
  await expect(source.get()).rejects.toMatchObject({ code: 'AUTH' });
});

it('leaves no timer behind', async () => {
  const { source, clock } = start(HOUR_MS);
  await source.get();
  await clock.advance(56 * MINUTE_MS);
  await source.get();
  await clock.settle();
  expect(clock.timers).toBe(0);
});

it('asks once after a refusal, for all batches that were refused with the key, and has another one', async () => {
  const { source, ask } = start();
  const key = await source.get();
  expect(await Promise.all([source.renew(key), source.renew(key), source.renew(key)])).toEqual([true, true, true]);
  expect(ask).toHaveBeenCalledTimes(2);
  expect(await source.get()).toEqual(keyOf(2));
});

it('does not ask for a batch that was refused with an older key', async () => {
  const { source, ask } = start();
  const key = await source.get();
  await source.renew(key);
  expect(await source.renew(key)).toBe(true);
  expect(ask).toHaveBeenCalledTimes(2);
});

it('takes another token for another key', async () => {
  let securityToken = 'old';
  const source = createCredentialsSource(() => ({ ...keyOf(1), securityToken }));
  const key = await source.get();
  securityToken = 'new';
  expect(await source.renew(key)).toBe(true);
});

it('asks again for the next batch after a refusal, and at most every 5 s, while the key stays the same', async () => {
  const clock = new VirtualClock();
  let current = keyOf(1);
  const ask = vi.fn(async () => current);
  const source = createCredentialsSource(ask, { clock });
  const key = await source.get();
  expect(await source.renew(key)).toBe(false);
  expect(await source.renew(key)).toBe(false);
  expect(await source.get()).toEqual(keyOf(1));
  expect(ask).toHaveBeenCalledTimes(2);
  current = keyOf(2);
  await clock.advance(5000);
  expect(await source.get()).toEqual(keyOf(2));
  expect(ask).toHaveBeenCalledTimes(3);
});

it('takes a key for good again that was refused once', async () => {
  const { clock } = start();
  const ask = vi.fn(async () => keyOf(1));
  const source = createCredentialsSource(ask, { clock });
  await source.renew(await source.get());
  for (let count = 0; count < 5; count++) {
    await clock.advance(10_000);
    await source.get();
  }
  expect(ask).toHaveBeenCalledTimes(3);
});

it('never gives a refused key while the provider fails', async () => {
  const { source, ask } = start();
  const key = await source.get();
  ask.mockRejectedValue(new Error('the vault is shut'));
  await expect(source.renew(key)).rejects.toMatchObject({ code: 'AUTH' });
  await expect(source.get()).rejects.toMatchObject({ code: 'AUTH' });
  ask.mockResolvedValue(keyOf(2));
  expect(await source.get()).toEqual(keyOf(2));
});

it('asks again after a refusal that came while an earlier question was open, if that brings the same key', async () => {
  const clock = new VirtualClock();
  const { ask, open } = delayed<LogServiceExpiringKey>();
  const source = createCredentialsSource(ask, { clock });
  const first = source.get();
  await clock.settle();
  const expiration = new Date(clock.now() + HOUR_MS);
  open[0]?.resolve({ ...keyOf(1), expiration });
  const key = await first;
  await clock.advance(56 * MINUTE_MS);
  await source.get();
  const renewals = [source.renew(key), source.renew(key)];
  open[1]?.resolve({ ...keyOf(1), expiration });
  await clock.settle();
  expect(ask).toHaveBeenCalledTimes(3);
  open[2]?.resolve(keyOf(2));
  expect(await Promise.all(renewals)).toEqual([true, true]);
});

it('takes a provider whose next three keys are refused too for one without another key, and asks it again for the next batch', async () => {
  const { ask, source } = start();
  for (const isOther of [true, true, true, false]) expect(await source.renew(await source.get())).toBe(isOther);
  expect(ask).toHaveBeenCalledTimes(4);
  const last = await source.get();
  expect(last).toEqual(keyOf(5));
  source.confirm(last);
  expect(await source.renew(last)).toBe(true);
  expect(ask).toHaveBeenCalledTimes(6);
});

it('calls a function without an argument', async () => {
  const ask = vi.fn((generation = 1) => keyOf(generation));
  const source = createCredentialsSource(ask);
  const key = await source.get();
  expect(key).toEqual(keyOf(1));
  await source.renew(key);
  expect(ask.mock.calls).toEqual([[], []]);
});

it('never has another key than the one that was given', async () => {
  const source = createCredentialsSource(keyOf(1));
  const key = await source.get();
  expect(await source.renew(key)).toBe(false);
  expect(await source.get()).toEqual(keyOf(1));
});

it('reads the environment again after a refusal', async () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_ID', 'LTAIold');
  vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_SECRET', 'old');
  vi.stubEnv('ALIBABA_CLOUD_SECURITY_TOKEN', undefined);
  const source = createCredentialsSource('env');
  const key = await source.get();
  vi.stubEnv('ALIBABA_CLOUD_ACCESS_KEY_SECRET', 'new');
  expect(await source.renew(key)).toBe(true);
  expect(await source.get()).toEqual({ accessKeyId: 'LTAIold', accessKeySecret: 'new' });
});

it('waits for a provider until the signal aborts, and gives its key to the next batch', async () => {
  const { ask, open } = delayed<LogServiceExpiringKey>();
  const source = createCredentialsSource(ask);
  await expect(source.get(AbortSignal.timeout(20))).rejects.toMatchObject({
    code: 'TIMEOUT',
    ambiguous: false,
    message: 'no Alibaba Cloud credentials yet: the function that gives them does not answer',
  });
  await expect(source.get(AbortSignal.abort())).rejects.toMatchObject({ code: 'TIMEOUT' });
  open[0]?.resolve(keyOf(1));
  expect(await source.get()).toEqual(keyOf(1));
  await expect(source.renew(keyOf(1), AbortSignal.timeout(20))).rejects.toMatchObject({ code: 'TIMEOUT' });
  expect(ask).toHaveBeenCalledTimes(2);
});

it('asks a provider again that did not answer for 60 s', async () => {
  const clock = new VirtualClock();
  const ask = vi.fn(() => new Promise<never>(() => {}));
  const source = createCredentialsSource(ask, { clock });
  const first = source.get().catch((error) => error);
  await clock.advance(60_000);
  expect(await first).toMatchObject({ code: 'TIMEOUT', ambiguous: false });
  ask.mockResolvedValue(keyOf(1) as never);
  expect(await source.get()).toEqual(keyOf(1));
  expect(clock.timersHeld).toBe(0);
});

it('shows no key to inspect and JSON', async () => {
  const source = createCredentialsSource(keyOf(1));
  await source.get();
  const shown = inspect(source, { depth: 10, showHidden: true }) + JSON.stringify(source);
  expect(shown).not.toMatch(/STS\.|secret1|token1/);
});
