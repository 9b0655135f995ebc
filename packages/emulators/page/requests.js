// @ts-check
import { useState } from 'preact/hooks';
import { bytes, count, duration, timeOfDay } from './format.js';
import { html } from './html.js';
import { VirtualList } from './virtual-list.js';

const ROW_HEIGHT = 44;
const SHOWN_VIOLATIONS = 3;

/** @param {{ state: import('./state.js').State }} props */
export function Requests({ state }) {
  const { requests, clouds, violationCount } = state;
  const [activeNumber, setActiveNumber] = useState(-1);
  const [openNumber, setOpenNumber] = useState(-1);
  // The newest is first.
  const at = (/** @type {number} */ index) => requests[requests.length - 1 - index];
  const newest = at(0)?.number ?? -1;
  const activeIndex = newest - activeNumber;
  const active = activeNumber >= 0 && activeIndex < requests.length ? activeIndex : -1;
  const opened = openNumber < 0 ? undefined : at(newest - openNumber);
  const violations = requests
    .flatMap((entry) => entry.violations.map((text) => `${entry.operation}: ${text}`))
    .slice(-SHOWN_VIOLATIONS)
    .reverse();

  const row = (/** @type {number} */ index) => {
    const entry = at(index);
    if (!entry) return '';
    const code = entry.error?.split(':')[0];
    return html`<span class="request-line">
        <span class="time">${timeOfDay(entry.time)}</span>
        <b class="ellipsis">${entry.operation}</b>
        ${entry.violations.length > 0 && html`<span class="badge bad">violation</span>`}
        ${entry.fault && html`<span class="badge">fault: ${entry.fault}</span>`}
        <span class="push"></span>
        <span class=${`answer ${isRefused(entry) ? 'bad' : 'good'}`}>${entry.answer}</span>
      </span>
      <span class="request-line dim">
        <span class="ellipsis">${code && html`<span class="bad">${code}</span> `}${entry.target ?? ''}</span>
        <span class="push"></span>
        <span class="numbers">${sizeOf(entry)} · ${duration(entry.durationMs)}</span>
      </span>`;
  };

  if (requests.length === 0) return html`<p class="nothing">No request yet.</p>`;
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    if (event.key !== 'Escape' || !opened) return;
    setOpenNumber(-1);
    document.getElementById('requests')?.focus();
    event.stopPropagation();
  };
  return html`<div class="requests" onKeyDown=${onKeyDown}>
    ${
      violationCount > 0 &&
      html`<section class="violations" aria-label="Violations">
        <h3>${count(violationCount)} ${violationCount === 1 ? 'violation' : 'violations'} of the service’s rules</h3>
        <ul>
          ${violations.map((text, index) => html`<li key=${index}>${text}</li>`)}
        </ul>
      </section>`
    }
    <${VirtualList}
      id="requests"
      label="Requests, the newest first"
      length=${requests.length}
      rowHeight=${ROW_HEIGHT}
      active=${active}
      onActive=${(/** @type {number} */ index) => {
        setActiveNumber(at(index)?.number ?? -1);
        if (openNumber >= 0) setOpenNumber(at(index)?.number ?? -1);
      }}
      onOpen=${(/** @type {number} */ index) => setOpenNumber(at(index)?.number ?? -1)}
      row=${row}
    />
    ${opened && html`<${RequestView} entry=${opened} cloud=${clouds[opened.cloud]} onClose=${() => setOpenNumber(-1)} />`}
  </div>`;
}

/** @param {{ entry: import('./state.js').RequestEntry, cloud: import('./state.js').Cloud | undefined, onClose: () => void }} props */
function RequestView({ entry, cloud, onClose }) {
  return html`<section class="request" aria-label="Request" tabindex="0">
    <header class="bar">
      <h2>${entry.operation}</h2>
      <span class="push"></span>
      <button type="button" onClick=${onClose}>Close</button>
    </header>
    <dl class="facts">
      <dt>server</dt><dd>${cloud?.title}</dd>
      <dt>target</dt><dd>${entry.target ?? 'not read'}</dd>
      <dt>answer</dt><dd class=${isRefused(entry) ? 'bad' : 'good'}>${answerInWords(entry)}</dd>
      <dt>time</dt><dd>${timeOfDay(entry.time)}, ${duration(entry.durationMs)}</dd>
      <dt>body</dt><dd>${bytes(entry.wireBytes)} on the wire, compression: ${entry.compression}</dd>
      <dt>records</dt>
      <dd>${count(entry.stored)} stored${entry.rejected > 0 ? `, ${count(entry.rejected)} rejected` : ''}${
        entry.bytes > 0 ? `, ${bytes(entry.bytes)} as the service counts` : ''
      }</dd>
      ${entry.fault && [html`<dt>fault</dt>`, html`<dd>${entry.fault} (injected)</dd>`]}
      ${entry.violations.map((text) => [html`<dt>violation</dt>`, html`<dd class="bad">${text}</dd>`])}
      ${entry.tolerated.map((text) => [html`<dt>tolerated</dt>`, html`<dd>${text}</dd>`])}
    </dl>
  </section>`;
}

/** @param {import('./state.js').RequestEntry} entry */
function isRefused({ answer }) {
  return typeof answer !== 'number' || answer >= 400;
}

/** @param {import('./state.js').RequestEntry} entry */
function answerInWords({ answer, error }) {
  if (answer === 'reset') return 'none: the connection was reset';
  if (answer === 'hang') return 'none: the request hangs';
  return error === undefined ? `HTTP ${answer}` : `HTTP ${answer} ${error}`;
}

/** @param {import('./state.js').RequestEntry} entry */
function sizeOf({ stored, wireBytes, compression }) {
  const records = stored > 0 ? `${count(stored)} records · ` : '';
  return `${records}${bytes(wireBytes)}${compression === 'none' ? '' : ` ${compression}`}`;
}
