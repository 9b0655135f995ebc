import { channel } from 'node:diagnostics_channel';
import type { DeliveryError, ErrorMessage } from '@logferry/core';
import { onTestFinished } from 'vitest';

/** The errors of all attempts that fail in this test from now on, also of those that `onError` is not called with; repetitions at once left out. */
export function watchAttempts(): readonly DeliveryError[] {
  const errors: DeliveryError[] = [];
  const listen = (message: unknown): void => {
    const { error } = message as ErrorMessage;
    if (error.code !== 'AGAIN') errors.push(error);
  };
  channel('logferry:error').subscribe(listen);
  onTestFinished(() => void channel('logferry:error').unsubscribe(listen));
  return errors;
}
