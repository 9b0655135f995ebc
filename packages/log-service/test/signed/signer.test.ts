import { VirtualClock } from '@logferry/core/testing';
import { expect, it } from 'vitest';
import type { LogServiceResponse } from '../../src/send/request.js';
import { Signer } from '../../src/signed/signer.js';

const MINUTE_MS = 60_000;
const KEY = { accessKeyId: 'id', accessKeySecret: 'secret' };

function start() {
  const clock = new VirtualClock();
  const signer = new Signer(KEY, undefined, { clock });
  const learn = (response: LogServiceResponse): void => signer.learn({ key: KEY } as never, response);
  return { clock, learn, offset: () => signer.now() - clock.now() };
}

function response(clockOffsetMs: number | undefined, requestId: string | undefined = 'REQUEST1'): LogServiceResponse {
  const answer = { status: 400, errorName: 'RequestTimeExpired', text: '', retryAfterMs: undefined };
  return { ...answer, requestId, clockOffsetMs, done: false };
}

it('takes the time of the service from its responses', () => {
  const { learn, offset } = start();
  expect(offset()).toBe(0);
  learn(response(-40 * MINUTE_MS));
  expect(offset()).toBe(-40 * MINUTE_MS);
  learn(response(undefined));
  expect(offset()).toBe(-40 * MINUTE_MS);
  learn(response(MINUTE_MS));
  expect(offset()).toBe(0);
});

it('does not take it from another server', () => {
  const { learn, offset } = start();
  learn({ ...response(-40 * MINUTE_MS), status: 502, errorName: '', requestId: undefined });
  expect(offset()).toBe(0);
});

it('takes a clock that was set for another clock', async () => {
  const { clock, learn, offset } = start();
  learn(response(-40 * MINUTE_MS));
  await clock.advance(5 * MINUTE_MS);
  expect(offset()).toBe(-40 * MINUTE_MS);
  clock.jump(-40 * MINUTE_MS);
  expect(offset()).toBe(0);
});

it('asks the service again after 10 minutes without a response', async () => {
  const { clock, learn, offset } = start();
  learn(response(-40 * MINUTE_MS));
  await clock.advance(10 * MINUTE_MS);
  expect(offset()).toBe(0);
});
