// @ts-check
import { useMemo } from 'preact/hooks';
import { isObject, metricsOf, parse } from './content.js';
import { CopyButton } from './copy-button.js';
import { count, placeName, timeOfDay } from './format.js';
import { html } from './html.js';
import { LEVELS } from './levels.js';

/** Levels of the tree that are open at first. */
const OPEN_DEPTH = 2;
/** A record may be nested thousands deep, which elements may not. */
const MAX_DEPTH = 40;
/** A record may have a million members, which would stop the browser: these are shown of one object, and of the whole record. */
const MAX_MEMBERS = 1000;
const MAX_ALL_MEMBERS = 5000;

/**
 * One record as a tree.
 *
 * @param {{ record: import('./records.js').LogRecord, place: import('./state.js').Place | undefined, onClose: () => void }} props
 */
export function RecordView({ record, place, onClose }) {
  const { content, shared, time, arrivalTime, requestId, level } = record;
  // The page is drawn with each batch, and a record may have thousands of members.
  const [metrics, tree] = useMemo(() => {
    const value = parse(content);
    const hasMembers = typeof value === 'object' && value !== null;
    const members = hasMembers
      ? membersOf(value, 0, { left: MAX_ALL_MEMBERS })
      : html`<pre class="plain">${value}</pre>`;
    return /** @type {const} */ ([metricsOf(value), html`<div class="value-tree" key=${record.id}>${members}</div>`]);
  }, [record.id]);
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  return html`<section class="record" aria-label="Record">
    <header class="bar">
      <h2>Record</h2>
      ${level > 0 && html`<span class=${`level level-${level}`}>${LEVELS[level]}</span>`}
      <span class="dim ellipsis">${placeName(place)}</span>
      <span class="push"></span>
      <${CopyButton} text=${text} />
      <button type="button" onClick=${onClose} title="Close (Esc)">Close</button>
    </header>
    <div class="record-body" tabindex="0" role="group" aria-label="Fields of the record">
      <dl class="facts">
        <dt>time</dt>
        <dd>${new Date(time).toISOString()} <span class="dim">(arrived ${timeOfDay(arrivalTime)})</span></dd>
        <dt>request</dt>
        <dd>${requestId}</dd>
        ${Object.entries(shared ?? {}).map(([name, each]) => [
          html`<dt>${name}</dt>`,
          html`<dd>${isObject(each) ? describe(each) : String(each)}</dd>`,
        ])}
      </dl>
      ${
        metrics.length > 0 &&
        html`<h3>Embedded metrics</h3>
        <table class="metrics">
          <thead>
            <tr><th>metric</th><th>value</th><th>unit</th><th>dimensions</th><th>namespace</th></tr>
          </thead>
          <tbody>
            ${metrics.map(
              ({ name, value: amount, unit, dimensions, namespace }) =>
                html`<tr><td>${name}</td><td>${amount}</td><td>${unit}</td><td>${dimensions}</td><td>${namespace}</td></tr>`,
            )}
          </tbody>
        </table>`
      }
      ${tree}
    </div>
  </section>`;
}

/**
 * @param {object} value
 * @param {number} depth
 * @param {{ left: number }} budget Members that may still be shown.
 * @returns {unknown[]}
 */
function membersOf(value, depth, budget) {
  const entries = Object.entries(value);
  const shown = entries.slice(0, Math.min(MAX_MEMBERS, budget.left));
  budget.left -= shown.length;
  const hidden = entries.length - shown.length;
  const members = shown.map(([key, each]) => {
    if (typeof each !== 'object' || each === null) {
      return html`<div class="member">
        <span class="key">${key}</span>
        <span class=${`value value-${each === null ? 'null' : typeof each}`}>${String(each)}</span>
      </div>`;
    }
    if (depth >= MAX_DEPTH)
      return html`<div class="member"><span class="key">${key}</span> nested too deep to show</div>`;
    const size = Object.keys(each).length;
    const kind = Array.isArray(each) ? `[${size}]` : `{${size}}`;
    return html`<details open=${depth < OPEN_DEPTH}>
      <summary><span class="key">${key}</span> <span class="dim">${kind}</span></summary>
      <div class="members">${membersOf(each, depth + 1, budget)}</div>
    </details>`;
  });
  return hidden > 0
    ? [...members, html`<div class="member dim">${count(hidden)} more: Copy has all of them</div>`]
    : members;
}

/** @param {Record<string, unknown>} value */
function describe(value) {
  const entries = Object.entries(value).map(([key, each]) => `${key}=${each}`);
  return entries.length > 0 ? entries.join(', ') : 'none';
}
