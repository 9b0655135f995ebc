import { channel } from 'node:diagnostics_channel';
import type { DeliveryCode, DeliveryError } from '../contract/errors.js';
import type { Drop } from '../options/delivery-options.js';

/** On `logferry:delivered`: a batch that the service took. */
export interface DeliveredMessage {
  /** The destination's name: `"cloudwatch"`. */
  readonly destination: string;
  readonly route: string;
  /** Events of the batch that the service stored. */
  readonly events: number;
  /** Size as the service counts it. */
  readonly bytes: number;
  /** Size of the request body. */
  readonly wireBytes: number;
  /** How long the request took, in milliseconds. */
  readonly durationMs: number;
  readonly requestId: string | undefined;
}

/** On `logferry:dropped`: records that were lost together. */
export interface DroppedMessage extends Drop {
  readonly destination: string;
}

/** On `logferry:retry`: a batch that failed and goes again. */
export interface RetryMessage {
  readonly destination: string;
  readonly route: string;
  readonly code: DeliveryCode;
  /** Events of the batch. */
  readonly events: number;
  /** How long it waits at least, in milliseconds; 0 when it goes again at once, whole or in halves. */
  readonly delayMs: number;
}

/** On `logferry:error`: every failed attempt, also those that `onError` is not told of. */
export interface ErrorMessage {
  readonly destination: string;
  readonly route: string;
  readonly error: DeliveryError;
}

/** Published on `node:diagnostics_channel`; each costs nothing while nobody listens. */
export interface Channels {
  delivered(message: () => Omit<DeliveredMessage, 'destination'>): void;
  dropped(message: () => Omit<DroppedMessage, 'destination'>): void;
  retry(message: () => Omit<RetryMessage, 'destination'>): void;
  error(message: () => Omit<ErrorMessage, 'destination'>): void;
}

export function createChannels(destination: string): Channels {
  const publisher = (name: string): ((message: () => object) => void) => {
    const target = channel(name);
    return (message) => {
      if (target.hasSubscribers) target.publish({ destination, ...message() });
    };
  };
  return {
    delivered: publisher('logferry:delivered'),
    dropped: publisher('logferry:dropped'),
    retry: publisher('logferry:retry'),
    error: publisher('logferry:error'),
  };
}
