// @ts-check
import { useState } from 'preact/hooks';
import { CopyButton } from './copy-button.js';
import { html } from './html.js';
import { FRAMEWORKS, firstRecord } from './snippets.js';
import { Tabs } from './tabs.js';

/**
 * What the page shows before the first record: how to send it.
 *
 * @param {{ clouds: readonly import('./state.js').Cloud[], selected: number | undefined }} props
 */
export function Start({ clouds, selected = 0 }) {
  const [framework, setFramework] = useState(/** @type {import('./snippets.js').Framework} */ ('pino'));
  const [chosen, setChosen] = useState(/** @type {number | undefined} */ (undefined));
  const index = chosen ?? selected;
  const cloud = clouds[index];
  if (!cloud) return html`<p class="nothing">Connecting…</p>`;
  const { install, program, environment } = firstRecord(cloud, framework);
  return html`<div class="start" tabindex="0" role="region" aria-label="The first record">
    <h2>Waiting for the first record</h2>
    <p>Send one to <b>${cloud.title}</b> on ${cloud.endpoint}. It appears here within a second.</p>
    ${
      clouds.length > 1 &&
      html`<${Tabs}
        id="start-cloud"
        label="Cloud"
        tabs=${clouds.map(({ title }, each) => ({ id: String(each), title }))}
        selected=${String(index)}
        onSelect=${(/** @type {string} */ id) => setChosen(Number(id))}
      />`
    }
    <${Tabs}
      id="start-framework"
      label="Framework"
      tabs=${FRAMEWORKS.map((id) => ({ id, title: id }))}
      selected=${framework}
      onSelect=${setFramework}
    />
    <div id="start-framework-panel" role="tabpanel" aria-labelledby=${`start-framework-${framework}`}>
      <h3>1. Install</h3>
      <${Snippet} label="Command that installs" code=${install} />
      <h3>2. Save as first.mjs, and run <code>node first.mjs</code></h3>
      <${Snippet} label="Program" code=${program} />
      <h3>An application that takes its settings from the environment</h3>
      <${Snippet} label="Environment variables" code=${environment} />
    </div>
  </div>`;
}

/** @param {{ label: string, code: string }} props */
export function Snippet({ label, code }) {
  return html`<div class="snippet">
    <pre tabindex="0" role="region" aria-label=${label}><code>${code}</code></pre>
    <${CopyButton} text=${code} />
  </div>`;
}
