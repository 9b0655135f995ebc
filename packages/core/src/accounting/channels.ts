import { channel } from 'node:diagnostics_channel';
import type { Drop } from '../contract/destination.js';
import type { DeliveryCode, DeliveryError } from '../contract/errors.js';

/** On `logferry:delivered`: a batch that the service accepted. */
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
  /** Duration of the request, in milliseconds. */
  readonly durationMs: number;
  readonly requestId: string | undefined;
}

/** On `logferry:dropped`: records that were lost. */
export interface DroppedMessage extends Drop {
  readonly destination: string;
}

/** On `logferry:retry`: a batch that failed and is sent again. */
export interface RetryMessage {
  readonly destination: string;
  readonly route: string;
  readonly code: DeliveryCode;
  /** Events of the batch. */
  readonly events: number;
  /** Shortest wait, in milliseconds; 0 when the batch is sent again at once, whole or in halves. */
  readonly delayMs: number;
}

/** On `logferry:error`: a failed attempt, also where `onError` is not called. */
export interface ErrorMessage {
  readonly destination: string;
  readonly route: string;
  readonly error: DeliveryError;
}

/** A channel of `node:diagnostics_channel`. It costs nothing while it has no subscriber. */
export interface Channel<Message> {
  readonly hasSubscribers: boolean;
  publish(message: Omit<Message, 'destination'>): void;
}

/** The channels of all Logferry transports in the process. */
export interface Channels {
  readonly delivered: Channel<DeliveredMessage>;
  readonly dropped: Channel<DroppedMessage>;
  readonly retry: Channel<RetryMessage>;
  readonly error: Channel<ErrorMessage>;
}

export function createChannels(destination: string): Channels {
  const open = <Message>(name: string): Channel<Message> => {
    const target = channel(name);
    return {
      get hasSubscribers() {
        return target.hasSubscribers;
      },
      publish: (message) => target.publish({ destination, ...message }),
    };
  };
  return {
    delivered: open('logferry:delivered'),
    dropped: open('logferry:dropped'),
    retry: open('logferry:retry'),
    error: open('logferry:error'),
  };
}
