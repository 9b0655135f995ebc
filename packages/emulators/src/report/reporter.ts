import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { setInterval } from 'node:timers';
import { threadId } from 'node:worker_threads';
import type { LedgerReport } from '../page/ledger-report.js';
import { collectMessages } from './messages.js';
import { createPoster } from './poster.js';
import { readShippers } from './shippers.js';

const INTERVAL_MS = 1000;
const LOOPBACK_NAMES = ['localhost', '127.0.0.1', '[::1]'];
/** The ES module and the CommonJS copy of this package report once. */
const STARTED = Symbol.for('logferry.reporting');

/**
 * Reports to the page at this address each second. Reporting never throws into the application, and never keeps its process alive: the
 * last report leaves if the connection is there.
 */
export function startReporting(address: string | undefined): void {
  const url = pageUrl(address);
  if (url === undefined || Reflect.has(globalThis, STARTED)) return;
  Reflect.defineProperty(globalThis, STARTED, { value: true });
  const poster = createPoster(url);
  const takeMessages = collectMessages();
  const identity = { id: randomUUID(), pid: process.pid, threadId, title: basename(process.argv[1] ?? 'node') };
  let lastCounters = '';
  const report = (isLast: boolean): void => {
    try {
      // A page that does not answer gets the messages later.
      if (poster.isBusy() && !isLast) return;
      const destinations = readShippers();
      const counters = JSON.stringify(destinations, withoutAge);
      const messages = takeMessages();
      // The end comes again after each report that kept the process for a moment, as a refused connection does.
      if (isLast && counters === lastCounters && messages.length === 0) return;
      lastCounters = counters;
      const report: LedgerReport = { ...identity, destinations, messages };
      poster.post(JSON.stringify(report));
    } catch {
      // The page has no report of this second.
    }
  };
  setInterval(report, INTERVAL_MS, false).unref();
  process.on('beforeExit', () => report(true));
  // Opens the connection, so that also a short process can send its last report.
  report(false);
}

/** An age changes all the time. */
function withoutAge(name: string, value: unknown): unknown {
  return name === 'oldestAgeMs' ? undefined : value;
}

/** The page is on this machine only. A connection to another one could keep the process until it times out. */
function pageUrl(address: string | undefined): URL | undefined {
  try {
    const url = new URL('/_logferry/report', address);
    return url.protocol === 'http:' && LOOPBACK_NAMES.includes(url.hostname) ? url : undefined;
  } catch {
    return undefined;
  }
}
