// @ts-check
import { useRef, useState } from 'preact/hooks';
import { count } from './format.js';
import { html } from './html.js';

/** A program with a stream for each process has thousands. */
const MAX_CHILDREN = 200;

/**
 * @typedef {object} Node
 * @property {string} key
 * @property {string} label
 * @property {number} depth
 * @property {number} records
 * @property {boolean} hasChildren
 * @property {import('./tail.js').Selection} selection
 */

/**
 * The clouds with their groups and streams, or logstores and topics. Arrow keys move, open and close; Enter selects.
 *
 * @param {{ state: import('./state.js').State, onSelect: (selection: import('./tail.js').Selection) => void }} props
 */
export function Tree({ state, onSelect }) {
  const [closed, setClosed] = useState(/** @type {ReadonlySet<string>} */ (new Set()));
  const [focused, setFocused] = useState('all');
  const list = useRef(/** @type {HTMLElement | null} */ (null));
  const nodes = nodesOf(state).filter(({ key }) => ![...closed].some((each) => key.startsWith(`${each}\n`)));
  const selected = keyOf(state.tail.selection);
  const current = Math.max(
    0,
    nodes.findIndex(({ key }) => key === focused),
  );

  const toggle = (/** @type {string} */ key, /** @type {boolean} */ isClosed) => {
    const next = new Set(closed);
    if (isClosed) next.add(key);
    else next.delete(key);
    setClosed(next);
  };
  const focus = (/** @type {number} */ index) => {
    const node = nodes[Math.min(Math.max(index, 0), nodes.length - 1)];
    if (!node) return;
    setFocused(node.key);
    const items = list.current?.querySelectorAll('[role=treeitem]') ?? [];
    /** @type {HTMLElement | undefined} */ (items[nodes.indexOf(node)])?.focus();
  };
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    const node = nodes[current];
    if (!node) return;
    if (event.key === 'ArrowDown') focus(current + 1);
    else if (event.key === 'ArrowUp') focus(current - 1);
    else if (event.key === 'Home') focus(0);
    else if (event.key === 'End') focus(nodes.length - 1);
    else if (event.key === 'ArrowRight') toggle(node.key, false);
    else if (event.key === 'ArrowLeft' && node.hasChildren && !closed.has(node.key)) toggle(node.key, true);
    else if (event.key === 'ArrowLeft')
      focus(nodes.findLastIndex((each, index) => index < current && each.depth < node.depth));
    else if (event.key === 'Enter' || event.key === ' ') onSelect(node.selection);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return html`<div class="tree" role="tree" aria-label="Groups and logstores" ref=${list} onKeyDown=${onKeyDown}>
    ${nodes.map(
      ({ key, label, depth, records, hasChildren, selection }, index) => html`<div
        key=${key}
        role="treeitem"
        class=${`node depth-${depth}`}
        tabindex=${index === current ? 0 : -1}
        aria-level=${depth + 1}
        aria-selected=${key === selected ? 'true' : 'false'}
        aria-expanded=${hasChildren ? String(!closed.has(key)) : undefined}
        title=${label}
        onClick=${() => {
          setFocused(key);
          onSelect(selection);
        }}
      >
        <span
          class="twist"
          aria-hidden="true"
          onClick=${(/** @type {Event} */ event) => {
            if (!hasChildren) return;
            event.stopPropagation();
            toggle(key, !closed.has(key));
          }}
          >${hasChildren ? (closed.has(key) ? '▸' : '▾') : ''}</span
        >
        <span class="node-label">${label}</span>
        <span class="node-count">${count(records)}</span>
      </div>`,
    )}
  </div>`;
}

/**
 * @param {import('./state.js').State} state
 * @returns {Node[]}
 */
function nodesOf({ clouds, places }) {
  const sum = (/** @type {readonly import('./state.js').Place[]} */ some) =>
    some.reduce((total, { records }) => total + records, 0);
  const nodes = [nodeOf('All records', {}, sum(places), false)];
  for (const [cloud, { title, target }] of clouds.entries()) {
    const own = places.filter((place) => place.cloud === cloud);
    const label = target ? `${title} · ${target.project}` : title;
    nodes.push(nodeOf(label, { cloud }, sum(own), own.length > 0));
    for (const [parent, children] of groupByParent(own)) {
      const named = children.filter(({ child }) => child !== '');
      nodes.push(nodeOf(parent, { cloud, parent }, sum(children), named.length > 0));
      for (const { child, records } of named.slice(0, MAX_CHILDREN))
        nodes.push(nodeOf(child, { cloud, parent, child }, records, false));
      const hidden = named.slice(MAX_CHILDREN);
      if (hidden.length > 0) nodes.push(restOf(hidden, cloud, parent));
    }
  }
  return nodes;
}

/**
 * The places by the name of their parent, both in order of their names.
 *
 * @param {readonly import('./state.js').Place[]} places
 */
function groupByParent(places) {
  /** @type {Map<string, import('./state.js').Place[]>} */
  const groups = new Map();
  for (const place of places.toSorted((a, b) => compare(a.parent, b.parent) || compare(a.child, b.child))) {
    const group = groups.get(place.parent);
    if (group) group.push(place);
    else groups.set(place.parent, [place]);
  }
  return groups;
}

/**
 * @param {string} a
 * @param {string} b
 */
function compare(a, b) {
  return a < b ? -1 : Number(a > b);
}

/**
 * @param {string} label
 * @param {import('./tail.js').Selection} selection
 * @param {number} records
 * @param {boolean} hasChildren
 * @returns {Node}
 */
function nodeOf(label, selection, records, hasChildren) {
  const depth = Math.max(0, Object.keys(selection).length - 1);
  return { key: keyOf(selection), label, depth, records, hasChildren, selection };
}

/**
 * The node of the children that are too many: it selects their parent.
 *
 * @param {readonly import('./state.js').Place[]} hidden
 * @param {number} cloud
 * @param {string} parent
 * @returns {Node}
 */
function restOf(hidden, cloud, parent) {
  const records = hidden.reduce((total, place) => total + place.records, 0);
  const node = nodeOf(`${count(hidden.length)} more`, { cloud, parent }, records, false);
  return { ...node, key: `${node.key}\n\n`, depth: 2 };
}

/** @param {import('./tail.js').Selection} selection */
function keyOf({ cloud, parent, child }) {
  return cloud === undefined ? 'all' : [cloud, parent, child].filter((part) => part !== undefined).join('\n');
}
