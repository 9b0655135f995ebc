// @ts-check
import { useState } from 'preact/hooks';
import { html } from './html.js';

const SHOWN_MS = 1500;

/** @param {{ text: string }} props */
export function CopyButton({ text }) {
  const [label, setLabel] = useState('Copy');
  const copy = async () => {
    const isCopied = await navigator.clipboard.writeText(text).then(
      () => true,
      () => false,
    );
    setLabel(isCopied ? 'Copied' : 'Not permitted');
    setTimeout(() => setLabel('Copy'), SHOWN_MS);
  };
  return html`<button type="button" class="copy" onClick=${copy} aria-live="polite">${label}</button>`;
}
