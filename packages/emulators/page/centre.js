// @ts-check
import { useEffect, useState } from 'preact/hooks';
import { summarize } from './content.js';
import { count, counted, placeName, timeOfDay } from './format.js';
import { html } from './html.js';
import { LEVELS } from './levels.js';
import { RecordView } from './record.js';
import { Start } from './start.js';
import { VirtualList } from './virtual-list.js';

const ROW_HEIGHT = 24;
/** After the last key, before 200,000 records are searched. */
const SEARCH_DELAY_MS = 150;

/** @param {{ state: import('./state.js').State }} props */
export function Centre({ state }) {
  const { tail, records, places } = state;
  const [isFollowing, setFollowing] = useState(true);
  const [activeId, setActiveId] = useState(-1);
  const [openId, setOpenId] = useState(-1);
  const [search, setSearch] = useState(tail.search);
  const togglePause = () => {
    tail.pause(!tail.isPaused);
    state.changed();
  };

  useEffect(() => {
    if (search === tail.search) return undefined;
    const timer = setTimeout(() => {
      tail.filter({ search });
      state.changed();
    }, SEARCH_DELAY_MS);
    return () => clearTimeout(timer);
  }, [search]);
  useEffect(() => {
    const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
      const target = /** @type {HTMLElement} */ (event.target);
      const isTyping = target.matches('input, select, textarea');
      if (event.key === 'Escape') {
        setOpenId(-1);
        document.getElementById('tail')?.focus();
      } else if (event.key === '/' && !isTyping) {
        document.getElementById('search')?.focus();
      } else if (event.key === ' ' && !isTyping && !target.matches('button, summary, [role=treeitem], [role=tab]')) {
        togglePause();
      } else return;
      event.preventDefault();
    };
    document.addEventListener('keydown', onKeyDown);
    return () => document.removeEventListener('keydown', onKeyDown);
  }, []);

  const { cloud, child } = tail.selection;
  const isPlaceShown = child === undefined;
  const index = activeId < 0 ? -1 : tail.matches.indexOf(activeId);
  const active = tail.matches.at(index) === activeId ? index : -1;
  const opened = openId < 0 ? undefined : records.get(openId);
  const row = (/** @type {number} */ index) => {
    const record = records.get(tail.matches.at(index));
    if (!record) return '';
    const { message, fields, isMetric } = summarize(record.content);
    return html`<span class="time">${timeOfDay(record.time)}</span>
      <span class=${`level level-${record.level}`}>${LEVELS[record.level]}</span>
      ${isPlaceShown && html`<span class="place ellipsis">${placeName(places[record.place])}</span>`}
      <span class="text ellipsis">
        ${isMetric && html`<span class="badge">EMF</span>`}${message}
        ${fields.map(([key, value]) => html` <span class="field"><i>${key}=</i>${value}</span>`)}
      </span>`;
  };

  return html`<main class="centre">
    <div class="bar" role="toolbar" aria-label="Tail">
      <button type="button" class=${tail.isPaused ? 'on' : ''} aria-pressed=${tail.isPaused ? 'true' : 'false'} onClick=${togglePause} title="Pause or go on (space)">
        ${tail.isPaused ? `Paused · ${count(tail.waiting)} new` : 'Pause'}
      </button>
      <input
        id="search"
        type="search"
        placeholder="Search  ( / )"
        aria-label="Search"
        value=${search}
        onInput=${(/** @type {any} */ event) => setSearch(event.target.value)}
      />
      <select
        aria-label="Level"
        value=${String(tail.minLevel)}
        onChange=${(/** @type {any} */ event) => {
          tail.filter({ minLevel: Number(event.target.value) });
          state.changed();
        }}
      >
        <option value="0">all levels</option>
        ${[2, 3, 4, 5].map((level) => html`<option key=${level} value=${String(level)}>${LEVELS[level]} or worse</option>`)}
      </select>
      <label class="check">
        <input type="checkbox" checked=${isFollowing} onChange=${(/** @type {any} */ event) => setFollowing(event.target.checked)} />
        follow
      </label>
      <span class="push"></span>
      <span class="dim" role="status">
        ${tail.matches.length < records.count ? `${count(tail.matches.length)} of ` : ''}${counted(records.count, 'record')}
        ${state.skipped > 0 && html` · <span class="warning">${count(state.skipped)} skipped: they came too fast</span>`}
      </span>
    </div>
    ${
      records.count === 0
        ? html`<${Start} clouds=${state.clouds} selected=${cloud} />`
        : html`<div class=${`tail${isPlaceShown ? '' : ' without-place'}`}>
            ${
              tail.matches.length === 0
                ? html`<p class="nothing">No record passes the filter.</p>`
                : html`<${VirtualList}
                    id="tail"
                    label="Records"
                    length=${tail.matches.length}
                    rowHeight=${ROW_HEIGHT}
                    active=${active}
                    onActive=${(/** @type {number} */ each) => {
                      setActiveId(tail.matches.at(each));
                      if (openId >= 0) setOpenId(tail.matches.at(each));
                    }}
                    onOpen=${(/** @type {number} */ each) => {
                      setFollowing(false);
                      setOpenId(tail.matches.at(each));
                    }}
                    row=${row}
                    isFollowing=${isFollowing}
                    onFollowing=${setFollowing}
                  />`
            }
          </div>`
    }
    ${opened && html`<${RecordView} record=${opened} place=${places[opened.place]} onClose=${() => setOpenId(-1)} />`}
  </main>`;
}
