/** The frameworks, as `child.js` starts them: the columns of the matrix. */
export const hosts = ['winston', 'pino in its worker', 'pino in process', 'bunyan'] as const;

export type Host = (typeof hosts)[number];

/** What is promised of an ending. */
export interface Promised {
  /** Of the records that were logged. */
  readonly delivered: 'all' | 'none';
  /** The loss is told on stderr, with its count. */
  readonly told?: boolean;
  /** Exit code, or the signal that ended the process. */
  readonly exit: number | NodeJS.Signals;
}

/** A way in which a process ends: a row of the matrix. */
export interface Ending {
  readonly name: string;
  /** What `child.js` does after the last record. */
  readonly act: string;
  readonly records: number;
  readonly endpoint: 'healthy' | 'hanging' | 'down';
  /** Options of the transport. */
  readonly options: object;
  /** A host that is left out has nothing of the kind. */
  readonly promises: Readonly<Partial<Record<Host, Promised>>>;
}

/** `closeTimeoutMs` where the endpoint does not answer. */
export const DEADLINE_MS = 1000;

/** No timer delivers in place of the ending, and one that held the process would show. */
const PATIENT = { maxDelayMs: 60_000, closeTimeoutMs: 60_000 };

const delivered: Promised = { delivered: 'all', exit: 0 };
const cutOff: Promised = { delivered: 'none', told: true, exit: 0 };

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
  ending('endpoint never answers, natural end', 'nothing', everywhere(cutOff), unanswered('hanging')),
  ending("endpoint never answers, the host's own ending", 'end, exit', everywhere(cutOff), unanswered('hanging')),
  ending('endpoint down, natural end', 'nothing', everywhere(cutOff), unanswered('down')),
  ending('nothing logged, natural end', 'nothing', everywhere(delivered), { records: 0 }),
  ending('all delivered, then idle', 'flush, idle', everywhere(delivered)),
];

function ending(name: string, act: string, promises: Ending['promises'], special: Partial<Ending> = {}): Ending {
  return { name, act, promises, records: 100, endpoint: 'healthy', options: PATIENT, ...special };
}

/** A request is in flight already when the process ends. */
function unanswered(endpoint: Ending['endpoint']): Partial<Ending> {
  return { endpoint, options: { maxDelayMs: 0, closeTimeoutMs: DEADLINE_MS } };
}

function everywhere(promised: Promised): Record<Host, Promised> {
  return { winston: promised, 'pino in its worker': promised, 'pino in process': promised, bunyan: promised };
}

/** pino holds the process until its worker has delivered; what is queued in process is lost. */
function onlyByWorker(exit: number): Record<Host, Promised> {
  return { ...everywhere({ delivered: 'none', exit }), 'pino in its worker': { delivered: 'all', exit } };
}
