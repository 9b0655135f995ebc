/** The frameworks, as `child.js` starts them: the columns of the matrix. */
export const hosts = ['winston', 'pino in its worker', 'pino in process', 'bunyan'] as const;

export type Host = (typeof hosts)[number];

/** The promise for one ending. */
export interface Promised {
  /** Of the records that were logged. */
  readonly delivered: 'all' | 'none';
  /** Stderr states the number of lost records. */
  readonly reported?: boolean;
  /** Exit code, or the signal that ended the process. */
  readonly exit: number | NodeJS.Signals;
}

/** The behaviour of the service. `slow` stores at once, and responds a while later. */
export const endpoints = {
  healthy: {},
  hanging: { hang: 1 },
  down: { down: true },
  failing: { serverError: 1 },
  slow: { delayMs: [100, 400] },
} as const;

export type Endpoint = keyof typeof endpoints;

/**
 * Listeners of `exit` in the application: before or after the first record, one that logs three records, and one that ends the
 * process.
 */
export type Listeners = 'none' | 'log before' | 'log after' | 'exit before' | 'exit after';

/** A way in which a process ends: a row of the matrix. */
export interface Ending {
  readonly name: string;
  /** The acts of `child.js` after the last record. */
  readonly act: string;
  readonly records: number;
  /** Listeners of `exit`. @default none */
  readonly listeners?: Listeners;
  readonly endpoint: Endpoint;
  /** Options of the transport. */
  readonly options: object;
  /** A host is absent if it does not have this ending. */
  readonly promises: Readonly<Partial<Record<Host, Promised>>>;
}

/** `closeTimeoutMs` where the endpoint does not respond. */
export const DEADLINE_MS = 1000;

/** Timers so long that none delivers before the ending does. A timer that holds the process makes the test fail. */
const PATIENT = { maxDelayMs: 60_000, closeTimeoutMs: 60_000 };

const delivered: Promised = { delivered: 'all', exit: 0 };
const cutOff: Promised = { delivered: 'none', reported: true, exit: 0 };

export const endings: readonly Ending[] = [
  ending('natural end', 'nothing', everywhere(delivered)),
  ending("the host's own ending, then `process.exit()`", 'end, exit', everywhere(delivered)),
  ending('flush, then `process.exit()`', 'flush, exit', everywhere(delivered)),
  ending('`logger.close()`, then natural end', 'logger.close', { winston: delivered }),
  ending('`logger.remove(transport)`, then natural end', 'logger.remove', { winston: delivered }),
  ending('`process.exit()` at once', 'exit', onlyByWorker(0)),
  ending('uncaught throw', 'throw', onlyByWorker(1)),
  ending('unhandled rejection', 'reject', onlyByWorker(1)),
  ending(
    'uncaught throw, `handleExceptions: true`',
    'throw',
    { winston: { delivered: 'all', exit: 1 } },
    { options: { ...PATIENT, handleExceptions: true } },
  ),
  ending(
    'unhandled rejection, `handleRejections: true`',
    'reject',
    { winston: { delivered: 'all', exit: 1 } },
    { options: { ...PATIENT, handleRejections: true } },
  ),
  ending('SIGTERM without handler', 'SIGTERM', everywhere({ delivered: 'none', exit: 'SIGTERM' })),
  ending('SIGINT without handler', 'SIGINT', everywhere({ delivered: 'none', exit: 'SIGINT' })),
  ending('endpoint never responds, natural end', 'nothing', everywhere(cutOff), withoutResponse('hanging')),
  ending("endpoint never responds, the host's own ending", 'end, exit', everywhere(cutOff), withoutResponse('hanging')),
  ending('endpoint down, natural end', 'nothing', everywhere(cutOff), withoutResponse('down')),
  ending('nothing logged, natural end', 'nothing', everywhere(delivered), { records: 0 }),
  ending('all delivered, then idle', 'flush, idle', everywhere(delivered)),
];

function ending(name: string, act: string, promises: Ending['promises'], special: Partial<Ending> = {}): Ending {
  return { name, act, promises, records: 100, endpoint: 'healthy', options: PATIENT, ...special };
}

/** A request is already in flight when the process ends. */
function withoutResponse(endpoint: Ending['endpoint']): Partial<Ending> {
  return { endpoint, options: { maxDelayMs: 0, closeTimeoutMs: DEADLINE_MS } };
}

function everywhere(promised: Promised): Record<Host, Promised> {
  return { winston: promised, 'pino in its worker': promised, 'pino in process': promised, bunyan: promised };
}

/** pino holds the process until its worker has delivered. Records queued in process are lost, and told. */
function onlyByWorker(exit: number): Record<Host, Promised> {
  return {
    ...everywhere({ delivered: 'none', reported: true, exit }),
    'pino in its worker': { delivered: 'all', exit },
  };
}
