import { randomUUID } from 'node:crypto';
import { basename } from 'node:path';
import { setInterval } from 'node:timers';
import { threadId } from 'node:worker_threads';
import type { LedgerReport } from '../page/ledger-report.js';
import { collectMessages } from './messages.js';
import { createPoster } from './poster.js';
import { readShippers } from './shippers.js';

const INTERVAL_MS = 1000;
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
  const post = createPoster(url);
  const takeMessages = collectMessages();
  const identity = { id: randomUUID(), pid: process.pid, threadId, title: basename(process.argv[1] ?? 'node') };
  const report = (isLast: boolean): void => {
    try {
      const report: LedgerReport = { ...identity, destinations: readShippers(), messages: takeMessages() };
      post(JSON.stringify(report), isLast);
    } catch {
      // The page has no report of this second.
    }
  };
  setInterval(report, INTERVAL_MS, false).unref();
  process.on('beforeExit', () => report(true));
  // Opens the connection, so that also a short process can send its last report.
  report(false);
}

function pageUrl(address: string | undefined): URL | undefined {
  try {
    const url = new URL('/_logferry/report', address);
    return url.protocol === 'http:' ? url : undefined;
  } catch {
    return undefined;
  }
}
