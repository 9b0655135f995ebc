// @ts-check
import { html } from './html.js';

/**
 * A list of tabs; left and right move. The panel of the selected tab is the element `{id}-panel`.
 *
 * @param {object} props
 * @param {string} props.id
 * @param {string} props.label
 * @param {readonly { id: string, title: string }[]} props.tabs
 * @param {string} props.selected
 * @param {(id: any) => void} props.onSelect
 */
export function Tabs({ id, label, tabs, selected, onSelect }) {
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step === undefined) return;
    const index = tabs.findIndex((tab) => tab.id === selected) + step;
    const next = tabs[(index + tabs.length) % tabs.length];
    if (!next) return;
    onSelect(next.id);
    document.getElementById(`${id}-${next.id}`)?.focus();
    event.preventDefault();
  };
  return html`<div class="tabs" role="tablist" aria-label=${label} onKeyDown=${onKeyDown}>
    ${tabs.map(
      (tab) => html`<button
        key=${tab.id}
        type="button"
        role="tab"
        id=${`${id}-${tab.id}`}
        aria-selected=${tab.id === selected ? 'true' : 'false'}
        tabindex=${tab.id === selected ? 0 : -1}
        onClick=${() => onSelect(tab.id)}
      >
        ${tab.title}
      </button>`,
    )}
  </div>`;
}
