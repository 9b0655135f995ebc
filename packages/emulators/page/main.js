// @ts-check
import { render } from 'preact';
import { App } from './app.js';
import { html } from './html.js';
import { State } from './state.js';
import { connect } from './stream.js';

const state = new State();
connect(state);
render(html`<${App} state=${state} />`, /** @type {HTMLElement} */ (document.getElementById('app')));
