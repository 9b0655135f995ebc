// @ts-check
import { bytes, count, duration, timeOfDay } from './format.js';
import { html } from './html.js';
import { reportCommand } from './snippets.js';
import { Snippet } from './start.js';
import { useNow } from './use-now.js';

/** After so long without a report the process is said to be gone. */
const SILENT_MS = 5000;

/** @typedef {{ label: string, value: number, tone: string }} Part */

/** @param {{ state: import('./state.js').State }} props */
export function LedgerTab({ state }) {
  const { ledgers } = state;
  const used = ledgers.filter(
    ({ destinations, messages }) => Object.keys(destinations).length > 0 || messages.length > 0,
  );
  if (used.length === 0) {
    return html`<div class="ledgers">
      <p>Here stands the ledger of each application’s transports: every record that it received, and what became of it. Start the application with</p>
      <${Snippet} label="Command" code=${reportCommand(location.origin)} />
      ${ledgers.map(({ id, title, pid }) => html`<p key=${id} class="dim">${title}, process ${pid}, reports. It has no transport yet.</p>`)}
    </div>`;
  }
  return html`<div class="ledgers" tabindex="0" role="group" aria-label="Ledgers">${used.toReversed().map((ledger) => html`<${LedgerView} key=${ledger.id} ledger=${ledger} />`)}</div>`;
}

/** @param {{ ledger: import('./state.js').Ledger }} props */
function LedgerView({ ledger: { title, pid, threadId, time, destinations, messages } }) {
  const isSilent = useNow() - time > SILENT_MS;
  return html`<section class="ledger" aria-label=${`Ledger of ${title}`}>
    <header class="bar">
      <h2>${title}</h2>
      <span class="dim">process ${pid}${threadId > 0 ? `, worker thread ${threadId}` : ''}</span>
      <span class="push"></span>
      <span class=${isSilent ? 'dim' : 'good'}>${isSilent ? `silent since ${timeOfDay(time).slice(0, 8)}` : 'reports'}</span>
    </header>
    ${Object.entries(destinations).map(([name, counts]) => html`<${DestinationView} key=${name} name=${name} counts=${counts} />`)}
    <ol class="messages">
      ${messages
        .slice(-12)
        .reverse()
        .map(
          ({ time: at, kind, destination, text }, index) => html`<li key=${index} class=${`message-${kind}`}>
            <span class="time">${timeOfDay(at).slice(0, 8)}</span> <span class="dim">${destination}</span> ${text}
          </li>`,
        )}
    </ol>
  </section>`;
}

/** @param {{ name: string, counts: import('./state.js').Counts }} props */
function DestinationView({ name, counts }) {
  const dropped = sum(counts.dropped);
  /** @type {readonly Part[]} */
  const parts = [
    { label: 'delivered', value: counts.delivered, tone: 'good' },
    { label: 'pending', value: counts.pending, tone: 'accent' },
    { label: 'spooled', value: counts.spooled, tone: 'violet' },
    { label: 'rejected', value: counts.rejected, tone: 'warn' },
    { label: 'dropped', value: dropped, tone: 'bad' },
  ];
  const all = Math.max(1, counts.received + counts.recovered);
  return html`<div class="destination">
    <h3>${name}</h3>
    <p class="equation">
      <b>${count(counts.received)}</b> received${counts.recovered > 0 && html` + <b>${count(counts.recovered)}</b> recovered`}${' = '}
      ${parts.map(
        ({ label, value, tone }, index) =>
          html`${index > 0 && ' + '}<span class=${value > 0 ? `tone-${tone}` : 'dim'}><b>${count(value)}</b> ${label}</span>`,
      )}
    </p>
    <div class="share" aria-hidden="true">
      ${parts
        .filter(({ value }) => value > 0)
        .map(
          ({ label, value, tone }) =>
            html`<span key=${label} class=${`fill-${tone}`} style=${{ width: `${(value / all) * 100}%` }}></span>`,
        )}
    </div>
    <dl class="facts">
      <dt>in flight</dt><dd>${count(counts.inFlight)} requests, ${count(counts.requests)} so far</dd>
      <dt>oldest</dt><dd>${counts.pending > 0 ? duration(counts.oldestAgeMs) : 'nothing waits'}</dd>
      <dt>buffer</dt><dd>${bytes(counts.bufferBytes)} of ${bytes(counts.bufferLimitBytes)}</dd>
      <dt>retries</dt><dd>${inWords(counts.retries)}</dd>
      <dt>dropped</dt><dd class=${dropped > 0 ? 'bad' : ''}>${inWords(counts.dropped)}</dd>
      ${counts.ambiguous > 0 && [html`<dt>ambiguous</dt>`, html`<dd>${count(counts.ambiguous)} attempts: each can have made duplicates</dd>`]}
    </dl>
  </div>`;
}

/** @param {Readonly<Record<string, number>>} counts */
function sum(counts) {
  return Object.values(counts).reduce((total, value) => total + value, 0);
}

/** @param {Readonly<Record<string, number>>} counts */
function inWords(counts) {
  const entries = Object.entries(counts).map(([name, value]) => `${count(value)} ${name}`);
  return entries.length > 0 ? entries.join(', ') : 'none';
}
