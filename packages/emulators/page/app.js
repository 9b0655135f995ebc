// @ts-check
import { useEffect, useReducer, useState } from 'preact/hooks';
import { Centre } from './centre.js';
import { Charts } from './charts.js';
import { activeFaults, Faults } from './faults.js';
import { counted } from './format.js';
import { html } from './html.js';
import { LedgerTab } from './ledger.js';
import { Requests } from './requests.js';
import { Tabs } from './tabs.js';
import { Tree } from './tree.js';

const PANELS = { requests: Requests, chart: Charts, faults: Faults, ledger: LedgerTab };
const TABS = [
  { id: 'requests', title: 'Requests' },
  { id: 'chart', title: 'Chart' },
  { id: 'faults', title: 'Faults' },
  { id: 'ledger', title: 'Ledger' },
];

/** @param {{ state: import('./state.js').State }} props */
export function App({ state }) {
  const [, update] = useReducer((/** @type {number} */ version) => version + 1, 0);
  const [tab, setTab] = useState(/** @type {keyof typeof PANELS} */ ('requests'));
  useEffect(() => state.subscribe(() => update(undefined)), [state]);
  const faults = activeFaults(state);
  return html`<div class="app">
    <header class="top">
      <h1>Logferry</h1>
      <span class=${state.isConnected ? 'status good' : 'status bad'} role="status">
        ${state.isConnected ? 'live' : 'not connected: is the server running?'}
      </span>
      ${faults.length > 0 && html`<button type="button" class="pill" onClick=${() => setTab('faults')}>Faults: ${faults.join(', ')}</button>`}
      <span class="push"></span>
      <span class="dim">${counted(state.requestCount, 'request')}</span>
      <span class=${state.violationCount > 0 ? 'bad' : 'dim'}>${counted(state.violationCount, 'violation')}</span>
    </header>
    <nav class="left" aria-label="Groups, streams and logstores">
      <${Tree}
        state=${state}
        onSelect=${(/** @type {import('./tail.js').Selection} */ selection) => {
          state.tail.filter({ selection });
          state.changed();
        }}
      />
      <p class="keys dim"><kbd>space</kbd> pause <kbd>/</kbd> search <kbd>↑</kbd><kbd>↓</kbd> move <kbd>Enter</kbd> open <kbd>Esc</kbd> close</p>
    </nav>
    <${Centre} key=${state.run} state=${state} />
    <aside class="right" aria-label="Requests, chart, faults and ledger">
      <${Tabs} id="side" label="What to show" tabs=${TABS} selected=${tab} onSelect=${setTab} />
      <div id="side-panel" class="panel" role="tabpanel" aria-labelledby=${`side-${tab}`}>
        <${PANELS[tab]} key=${`${tab}-${state.run}`} state=${state} />
      </div>
    </aside>
  </div>`;
}
