import { channel } from 'node:diagnostics_channel';
import type { Drop } from '../contract/destination.js';
import type { DeliveryCode, DeliveryError } from '../contract/errors.js';

/** On `logferry:delivered`: a batch that the service accepted. */
export interface DeliveredMessage {
  /** The destination's name: `"cloudwatch"`. */
  readonly destination: string;
  /** The batch's target within the destination. */
  readonly route: string;
  /** Events of the batch that the service stored. */
  readonly events: number;
  /** Size as the service counts it. */
  readonly bytes: number;
  /** Size of the request body. */
  readonly wireBytes: number;
  /** Duration of the request, in milliseconds. */
  readonly durationMs: number;
  /** The service's name for the request, if it states one. */
  readonly requestId: string | undefined;
}

/** On `logferry:dropped`: records that were lost. */
export interface DroppedMessage extends Drop {
  /** The destination's name. */
  readonly destination: string;
}

/** On `logferry:retry`: a batch that failed and is sent again. */
export interface RetryMessage {
  /** The destination's name. */
  readonly destination: string;
  /** The batch's target within the destination. */
  readonly route: string;
  /** The kind of the failure. */
  readonly code: DeliveryCode;
  /** Events of the batch. */
  readonly events: number;
  /** Shortest wait, in milliseconds; 0 when the batch is sent again at once, whole or in halves. */
  readonly delayMs: number;
}

/** On `logferry:error`: a failed attempt, also where `onError` is not called. */
export interface ErrorMessage {
  /** The destination's name. */
  readonly destination: string;
  /** The batch's target within the destination. */
  readonly route: string;
  /** The failure. */
  readonly error: DeliveryError;
}

/** The messages by kind. */
export interface Messages {
  readonly delivered: DeliveredMessage;
  readonly dropped: DroppedMessage;
  readonly retry: RetryMessage;
  readonly error: ErrorMessage;
}

/** The channel for messages of a kind, from all Logferry transports in the process. It costs nothing without a subscriber. */
export function channelOf(kind: keyof Messages): { hasSubscribers: boolean; publish(message: unknown): void } {
  return channel(`logferry:${kind}`);
}
