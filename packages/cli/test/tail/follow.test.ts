import { DeliveryError } from '@logferry/core';
import { expect, it } from 'vitest';
import { followSource } from '../../src/tail/follow.js';
import type { TailSource } from '../../src/tail/source.js';

it('says of a request that hangs how long it waited, and asks again', async () => {
  let requests = 0;
  const source: TailSource = {
    nextPage(signal) {
      if (++requests > 1) return Promise.resolve({ events: [], isLast: true });
      return new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new DeliveryError('TIMEOUT', 'The operation was aborted')));
      });
    },
    remedyOfMissing: '',
    close: async () => {},
  };
  const failures: string[] = [];
  await followSource(
    source,
    {
      follow: false,
      pollMs: 1,
      requestTimeoutMs: 50,
      show: async () => {},
      onFailure: (message) => failures.push(message),
    },
    new AbortController().signal,
  );
  expect(failures).toEqual(['no answer within 0.05 s: check the network, and the proxy if there is one']);
  expect(requests).toBe(2);
});
