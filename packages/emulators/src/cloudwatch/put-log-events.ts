import { createHash } from 'node:crypto';
import type { Context } from './context.js';
import { rejectionOfEntity } from './entity.js';
import { invalidParameter, ServiceError } from './errors.js';
import { asInteger, asString, asStructure, Fields, type Input } from './fields.js';
import {
  DAY_MS,
  EVENT_OVERHEAD_BYTES,
  LOG_GROUP_NAME,
  LOG_STREAM_NAME,
  MAX_AGE_MS,
  MAX_BATCH_BYTES,
  MAX_BATCH_EVENTS,
  MAX_EVENT_BYTES,
  MAX_FUTURE_MS,
  MAX_SPAN_MS,
} from './rules.js';
import { type CloudWatchEvent, findGroup, findStream, type LogStream } from './store.js';

interface IncomingEvent {
  readonly timestamp: number;
  readonly message: string;
  readonly bytes: number;
}

/**
 * Checks a batch by all rules of the service, then stores it without its too-old, expired and too-new events.
 * https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
 */
export function putLogEvents(input: Input, context: Context): object {
  const { now, requestId, store, stats } = context;
  const fields = new Fields(input);
  const logGroupName = fields.string('logGroupName', LOG_GROUP_NAME);
  const logStreamName = fields.string('logStreamName', LOG_STREAM_NAME);
  const sequenceToken = fields.optionalString('sequenceToken', { min: 1 });
  const batch = readEvents(fields);
  fields.check();
  const bytes = checkSizes(batch);
  checkTimes(batch, now);

  const group = findGroup(store, logGroupName);
  const stream = findStream(group, logStreamName);
  checkRate(stream, context);
  const nextSequenceToken =
    context.sequenceTokens === 'required' ? takeToken(stream, sequenceToken, batch) : digits(stream.log.events.length);

  const kept = keptRange(batch, now, group.retentionInDays);
  let storedBytes = 0;
  for (let index = kept.start; index < kept.end; index++) {
    const { timestamp, message, bytes } = batch[index] as IncomingEvent;
    const eventId = digits(store.arrivals.length);
    const event: CloudWatchEvent = {
      eventId,
      logGroupName,
      logStreamName,
      timestamp,
      message,
      ingestionTime: now,
      requestId,
    };
    store.arrivals.push(event);
    group.log.events.push(event);
    stream.log.events.push(event);
    storedBytes += bytes;
  }
  stats.stored({ events: batch.length, bytes, storedEvents: kept.end - kept.start, storedBytes });

  const errorType = rejectionOfEntity(input.entity ?? undefined);
  if (errorType) stats.violated({ operation: 'PutLogEvents', error: errorType, message: 'The entity was rejected.' });
  return {
    nextSequenceToken,
    ...(kept.rejected && { rejectedLogEventsInfo: kept.rejected }),
    ...(errorType && { rejectedEntityInfo: { errorType } }),
  };
}

function readEvents(fields: Fields): IncomingEvent[] {
  return fields.list('logEvents', { min: 1, max: MAX_BATCH_EVENTS }).map((value, index) => {
    const event = asStructure(value);
    // The service numbers list elements from 1.
    const path = `logEvents.${index + 1}.member`;
    for (const member of ['timestamp', 'message']) {
      if ((event[member] ?? undefined) === undefined) fields.refuseMissing(`${path}.${member}`);
    }
    const timestamp = asInteger(event.timestamp ?? 0);
    const message = asString(event.message ?? '');
    if (timestamp < 0) {
      fields.refuse(String(timestamp), `${path}.timestamp`, 'Member must have value greater than or equal to 0');
    }
    if (event.message === '') {
      fields.refuse('', `${path}.message`, 'Member must have length greater than or equal to 1');
    }
    if (!message.isWellFormed()) {
      fields.refuse(message.toWellFormed(), `${path}.message`, 'Member must be well-formed Unicode');
    }
    return { timestamp, message, bytes: Buffer.byteLength(message) + EVENT_OVERHEAD_BYTES };
  });
}

/** Returns the size of the batch in bytes, as the service counts it. */
function checkSizes(batch: readonly IncomingEvent[]): number {
  let sum = 0;
  for (const { bytes } of batch) {
    if (bytes > MAX_EVENT_BYTES) {
      throw invalidParameter(`Log event too large: ${bytes} bytes exceeds limit of ${MAX_EVENT_BYTES}`);
    }
    sum += bytes;
  }
  if (sum > MAX_BATCH_BYTES) {
    throw invalidParameter(`Upload too large: ${sum} bytes exceeds limit of ${MAX_BATCH_BYTES}`);
  }
  return sum;
}

function checkTimes(batch: readonly IncomingEvent[], now: number): void {
  let previous = 0;
  let firstValid: number | undefined;
  for (const { timestamp } of batch) {
    if (timestamp < previous) {
      throw invalidParameter('Log events in a single PutLogEvents request must be in chronological order.');
    }
    previous = timestamp;
    // Since 2025 the service ignores too-old and too-new events in the span of a batch.
    if (timestamp < now - MAX_AGE_MS || timestamp > now + MAX_FUTURE_MS) continue;
    firstValid ??= timestamp;
    if (timestamp - firstValid > MAX_SPAN_MS) {
      throw invalidParameter(
        'The batch of log events in a single PutLogEvents request cannot span more than 24 hours.',
      );
    }
  }
}

/** Until 2023 the service took 5 requests a second for each stream. */
function checkRate(stream: LogStream, { now, maxPutsPerSecondPerStream }: Context): void {
  if (maxPutsPerSecondPerStream === Number.POSITIVE_INFINITY) return;
  const recent = stream.recentPuts.filter((time) => time > now - 1000 && time <= now);
  if (recent.length >= maxPutsPerSecondPerStream) throw new ServiceError('ThrottlingException', 'Rate exceeded');
  stream.recentPuts = [...recent, now];
}

interface KeptRange {
  /** Index of the first stored event. */
  readonly start: number;
  /** Index after the last stored event. */
  readonly end: number;
  /** `rejectedLogEventsInfo`: inclusive start of the too-new events, exclusive ends of the too-old and expired ones. */
  readonly rejected: Readonly<Record<string, number>> | undefined;
}

/** The events that the service stores. A batch is in order of time, so they are one range. */
function keptRange(batch: readonly IncomingEvent[], now: number, retentionInDays: number | undefined): KeptRange {
  const before = (time: number): number => {
    const index = batch.findIndex(({ timestamp }) => timestamp >= time);
    return index < 0 ? batch.length : index;
  };
  const tooOld = before(now - MAX_AGE_MS);
  const expired = retentionInDays === undefined ? 0 : before(now - retentionInDays * DAY_MS);
  const tooNew = before(now + MAX_FUTURE_MS + 1);
  const rejected = {
    ...(tooNew < batch.length && { tooNewLogEventStartIndex: tooNew }),
    ...(tooOld > 0 && { tooOldLogEventEndIndex: tooOld }),
    ...(expired > tooOld && { expiredLogEventEndIndex: expired }),
  };
  return {
    start: Math.max(tooOld, expired),
    end: tooNew,
    rejected: Object.keys(rejected).length > 0 ? rejected : undefined,
  };
}

/** Checks a sequence token as before 2023: it must be the token of the previous response. Returns the next one. */
function takeToken(stream: LogStream, token: string | undefined, batch: readonly IncomingEvent[]): string {
  const fingerprint = createHash('sha256').update(JSON.stringify(batch)).digest('hex');
  if (token !== stream.nextToken) {
    const expected = { expectedSequenceToken: stream.nextToken };
    if (fingerprint === stream.lastBatch) {
      throw new ServiceError(
        'DataAlreadyAcceptedException',
        `The given batch of log events has already been accepted. The next batch can be sent with sequenceToken: ${stream.nextToken}`,
        400,
        expected,
      );
    }
    throw new ServiceError(
      'InvalidSequenceTokenException',
      `The given sequenceToken is invalid. The next expected sequenceToken is: ${stream.nextToken ?? 'null'}`,
      400,
      expected,
    );
  }
  stream.lastBatch = fingerprint;
  stream.nextToken = digits(Number(stream.nextToken?.slice(2) ?? 0) + 1);
  return stream.nextToken;
}

/** An event id or sequence token: like the service's, a text of 56 digits. */
function digits(number: number): string {
  return `49${String(number).padStart(54, '0')}`;
}
