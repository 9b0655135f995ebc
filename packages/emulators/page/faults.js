// @ts-check
import { useState } from 'preact/hooks';
import { duration, percent } from './format.js';
import { html } from './html.js';
import { changeFaults } from './stream.js';

/**
 * @typedef {object} Fault
 * @property {'throttle' | 'serverError' | 'reset' | 'hang' | 'denied' | 'latencyMs' | 'skewMs'} name
 * @property {string} label
 * @property {number} on The value of the switch when it is turned on.
 * @property {number} min
 * @property {number} max
 * @property {number} step
 * @property {(value: number) => string} format
 */

const SHARE = { min: 0, max: 1, step: 0.05, format: percent };
const MINUTE_MS = 60_000;
/** @type {readonly Fault[]} */
const FAULTS = [
  { ...SHARE, name: 'throttle', label: 'Throttle', on: 0.3 },
  { ...SHARE, name: 'serverError', label: 'Server errors (5xx)', on: 0.3 },
  { ...SHARE, name: 'reset', label: 'Connection resets', on: 0.2 },
  { ...SHARE, name: 'hang', label: 'Hanging requests', on: 0.1 },
  { ...SHARE, name: 'denied', label: 'Access denied', on: 1 },
  {
    ...{ name: 'latencyMs', label: 'Latency', on: 800 },
    ...{ min: 0, max: 5000, step: 100, format: duration },
  },
  {
    ...{ name: 'skewMs', label: 'Clock skew', on: 20 * MINUTE_MS },
    ...{ min: -60 * MINUTE_MS, max: 60 * MINUTE_MS, step: MINUTE_MS, format: skew },
  },
];

/** @param {{ state: import('./state.js').State }} props */
export function Faults({ state }) {
  const [error, setError] = useState('');
  const { clouds, switches } = state;
  const change = async (
    /** @type {string} */ cloud,
    /** @type {Record<string, number | boolean> | undefined} */ value,
  ) => {
    const failure = await changeFaults(cloud, value).then(
      () => '',
      (thrown) => String(thrown.message),
    );
    setError(failure);
  };
  return html`<div class="faults">
    <div class="bar">
      <button type="button" onClick=${() => clouds.map(({ name }) => change(name, undefined))} disabled=${activeFaults(state).length === 0}>
        All faults off
      </button>
      <span class="bad" role="alert">${error}</span>
    </div>
    ${clouds.map(
      ({ name, title }, index) =>
        switches[index] &&
        html`<${Board}
          key=${name}
          title=${title}
          positions=${switches[index]}
          onChange=${(/** @type {Record<string, number | boolean>} */ value) => change(name, value)}
        />`,
    )}
    <p class="dim">Faults meet the requests that write records. “Down” and the clock meet every request.</p>
  </div>`;
}

/**
 * The faults that are on, in words.
 *
 * @param {import('./state.js').State} state
 * @returns {string[]}
 */
export function activeFaults({ switches }) {
  const texts = switches.flatMap((positions) => [
    ...FAULTS.filter(({ name }) => positions[name] !== 0).map(
      ({ name, label, format }) => `${label.toLowerCase()} ${format(positions[name])}`,
    ),
    ...(positions.down ? ['down'] : []),
    ...positions.others,
  ]);
  return [...new Set(texts)];
}

/**
 * @param {object} props
 * @param {string} props.title
 * @param {import('./state.js').Switches} props.positions
 * @param {(change: Record<string, number | boolean>) => void} props.onChange
 */
function Board({ title, positions, onChange }) {
  const { down, others } = positions;
  return html`<fieldset>
    <legend>${title}</legend>
    ${FAULTS.map(
      (fault) => html`<${FaultSwitch}
        key=${fault.name}
        fault=${fault}
        value=${positions[fault.name]}
        scope=${title}
        onChange=${(/** @type {number} */ value) => onChange({ [fault.name]: value })}
      />`,
    )}
    <div class="fault">
      <${Toggle} label="Down" scope=${title} isOn=${down} onToggle=${() => onChange({ down: !down })} />
      <span class="dim rest">every connection is reset</span>
    </div>
    ${others.length > 0 && html`<p class="dim">The program’s own plan has more: ${others.join(', ')}.</p>`}
  </fieldset>`;
}

/** @param {{ fault: Fault, value: number, scope: string, onChange: (value: number) => void }} props */
function FaultSwitch({ fault, value, scope, onChange }) {
  const { label, on, min, max, step, format } = fault;
  /** The position of the slider while it moves. */
  const [moving, setMoving] = useState(/** @type {number | undefined} */ (undefined));
  const isOn = value !== 0;
  return html`<div class="fault">
    <${Toggle} label=${label} scope=${scope} isOn=${isOn} onToggle=${() => onChange(isOn ? 0 : on)} />
    <input
      type="range"
      min=${min}
      max=${max}
      step=${step}
      value=${moving ?? value}
      aria-label=${`${label} of ${scope}: how much`}
      aria-valuetext=${format(moving ?? value)}
      onInput=${(/** @type {any} */ event) => setMoving(Number(event.target.value))}
      onChange=${(/** @type {any} */ event) => {
        setMoving(undefined);
        onChange(Number(event.target.value));
      }}
    />
    <output>${format(moving ?? value)}</output>
  </div>`;
}

/** @param {{ label: string, scope: string, isOn: boolean, onToggle: () => void }} props */
function Toggle({ label, scope, isOn, onToggle }) {
  return html`<button
    type="button"
    role="switch"
    class="switch"
    aria-checked=${isOn ? 'true' : 'false'}
    aria-label=${`${label} of ${scope}`}
    onClick=${onToggle}
  >
    <span class="knob" aria-hidden="true"></span>${label}
  </button>`;
}

/** @param {number} ms */
function skew(ms) {
  return `${ms > 0 ? '+' : ''}${Math.round(ms / MINUTE_MS)} min`;
}
