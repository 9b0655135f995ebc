import { performance } from 'node:perf_hooks';
import type { RequestCounters } from './counters.js';
import type { HttpResponse, Reaction } from './http.js';

/** A request and the server's reaction to it. */
export interface RequestEntry {
  /** Time of arrival, in epoch milliseconds, by the machine's clock. */
  readonly time: number;
  readonly operation: string;
  /** Group and stream, or logstore and topic; undefined if the request was refused before they were read. */
  readonly target: string | undefined;
  /** Size of the request's body, compressed. */
  readonly wireBytes: number;
  readonly compression: string;
  readonly durationMs: number;
  /** The response's status, or its absence. */
  readonly answer: number | 'reset' | 'hang';
  /** The response's error in words; undefined for success. */
  readonly error: string | undefined;
  /** The injected fault that the request met. */
  readonly fault: string | undefined;
  /** Stored events. */
  readonly stored: number;
  /** Events that a successful response rejected. */
  readonly rejected: number;
  /** Size of an accepted batch, as the service counts it. */
  readonly bytes: number;
  /** The rules that the request broke, in words. */
  readonly violations: readonly string[];
  /** Departures from the documentation that the service accepts. */
  readonly tolerated: readonly string[];
}

/** Is told of each request and its events. An emulator without one computes none of this. */
export interface Observer<Event> {
  onRequest(entry: RequestEntry): void;
  /** Stored events of one request, in order of arrival. */
  onEvents(events: readonly Event[]): void;
}

/** The counters of an emulator, as far as an observer reads along. */
interface WatchedCounters extends RequestCounters {
  violated(violation: Departure): void;
  tolerated(departure: Departure): void;
  unsupported(operation: string): void;
  stored(batch: StoredBatch): void;
}

interface Departure {
  readonly error: string;
  readonly message: string;
}

interface StoredBatch {
  readonly events: number;
  readonly bytes: number;
  /** Absent if every event was stored. */
  readonly storedEvents?: number;
}

/** Serves a request with counters that note what happens to it, and tells the observer. */
export async function observeRequest<Counters extends RequestCounters, Event>(
  observer: Observer<Event>,
  request: Pick<RequestEntry, 'operation' | 'wireBytes' | 'compression'>,
  counters: Counters,
  latestEvents: (count: number) => readonly Event[],
  serve: (counters: Counters) => Promise<Reaction>,
): Promise<Reaction> {
  const noted = { stored: 0, rejected: 0, bytes: 0, target: undefined, fault: undefined } as Noted;
  const [violations, tolerated]: [string[], string[]] = [[], []];
  const watched = counters as unknown as WatchedCounters;
  const watching: WatchedCounters = {
    ...watched,
    enter(key) {
      noted.target = key;
      return watched.enter(key);
    },
    injected(fault) {
      noted.fault = fault;
      watched.injected(fault);
    },
    violated(violation) {
      violations.push(inWords(violation));
      watched.violated(violation);
    },
    tolerated(departure) {
      tolerated.push(inWords(departure));
      watched.tolerated(departure);
    },
    stored(batch) {
      const { events, bytes, storedEvents = events } = batch;
      Object.assign(noted, { stored: storedEvents, rejected: events - storedEvents, bytes });
      watched.stored(batch);
      if (storedEvents > 0) observer.onEvents(latestEvents(storedEvents));
    },
  };
  const [time, start] = [Date.now(), performance.now()];
  const reaction = await serve(watching as unknown as Counters);
  observer.onRequest({
    time,
    ...request,
    ...noted,
    durationMs: performance.now() - start,
    answer: typeof reaction === 'string' ? reaction : reaction.status,
    error: typeof reaction === 'string' ? undefined : errorOf(reaction),
    violations,
    tolerated,
  });
  return reaction;
}

type Noted = { -readonly [Name in 'stored' | 'rejected' | 'bytes' | 'target' | 'fault']: RequestEntry[Name] };

function inWords({ error, message }: Departure): string {
  return `${error}: ${message}`;
}

/** Both services state an error's code and text as JSON; a proxy in front of them sends a page. */
function errorOf({ status, body }: HttpResponse): string | undefined {
  if (status < 400) return undefined;
  if (!body.startsWith('{')) return 'an HTML page, as from a proxy';
  const { __type: type, message, errorCode = type, errorMessage = message } = JSON.parse(body);
  return `${errorCode}: ${errorMessage}`;
}
