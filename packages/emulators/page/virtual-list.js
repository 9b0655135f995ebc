// @ts-check
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { html } from './html.js';

/** Rows beyond the visible ones, above and below. */
const OVERSCAN = 6;

/**
 * A list box of rows of one height, of which only the visible ones are elements: 200,000 rows scroll like 50. Arrow keys, Page Up and
 * Page Down, Home and End move; Enter opens.
 *
 * @param {object} props
 * @param {string} props.id
 * @param {string} props.label
 * @param {number} props.length
 * @param {number} props.rowHeight
 * @param {number} props.active Index of the active row; -1 for none.
 * @param {(index: number) => void} props.onActive
 * @param {(index: number) => void} props.onOpen
 * @param {(index: number) => unknown} props.row
 * @param {boolean} [props.isFollowing] Whether the list stays at its end.
 * @param {(isFollowing: boolean) => void} [props.onFollowing]
 */
export function VirtualList({ id, label, length, rowHeight, active, onActive, onOpen, row, isFollowing, onFollowing }) {
  const box = useRef(/** @type {HTMLElement | null} */ (null));
  const lastTop = useRef(0);
  const [view, setView] = useState({ top: 0, height: 600 });

  useEffect(() => {
    const element = /** @type {HTMLElement} */ (box.current);
    const observer = new ResizeObserver(() => setView({ top: element.scrollTop, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, []);
  useLayoutEffect(() => {
    const element = box.current;
    if (isFollowing && element) element.scrollTop = element.scrollHeight;
  }, [isFollowing, length, view.height]);
  useLayoutEffect(() => {
    const element = box.current;
    if (active < 0 || !element) return;
    const top = active * rowHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + element.clientHeight)
      element.scrollTop = top + rowHeight - element.clientHeight;
  }, [active, rowHeight]);

  const onScroll = () => {
    // The event of the last scroll may come after the list is gone.
    if (!box.current) return;
    const { scrollTop, clientHeight, scrollHeight } = box.current;
    const isAtEnd = scrollTop + clientHeight >= scrollHeight - rowHeight;
    // New rows never scroll up: only a user does.
    if (isAtEnd && !isFollowing) onFollowing?.(true);
    else if (isFollowing && !isAtEnd && scrollTop < lastTop.current) onFollowing?.(false);
    lastTop.current = scrollTop;
    setView({ top: scrollTop, height: clientHeight });
  };
  const page = Math.max(1, Math.floor(view.height / rowHeight) - 1);
  const onKeyDown = (/** @type {KeyboardEvent} */ event) => {
    /** @type {Readonly<Record<string, number>>} */
    const targets = {
      ArrowDown: active + 1,
      ArrowUp: active < 0 ? length - 1 : active - 1,
      PageDown: active + page,
      PageUp: active - page,
      Home: 0,
      End: length - 1,
    };
    const target = targets[event.key];
    if (target !== undefined) {
      onFollowing?.(false);
      onActive(Math.min(Math.max(target, 0), length - 1));
    } else if (event.key === 'Enter' && active >= 0) {
      onOpen(active);
    } else return;
    event.preventDefault();
  };

  // At the press: until the release the rows may have moved. A click without one comes from assistive technology.
  const choose = (/** @type {number} */ index) => {
    onActive(index);
    onOpen(index);
  };

  const first = Math.max(0, Math.floor(view.top / rowHeight) - OVERSCAN);
  const last = Math.min(length, Math.ceil((view.top + view.height) / rowHeight) + OVERSCAN);
  const rows = Array.from({ length: Math.max(0, last - first) }, (_, offset) => first + offset);
  const isActiveShown = active >= first && active < last;
  return html`<div
    ref=${box}
    id=${id}
    class="list"
    role="listbox"
    tabindex="0"
    aria-label=${label}
    aria-activedescendant=${isActiveShown ? `${id}-${active}` : undefined}
    onScroll=${onScroll}
    onKeyDown=${onKeyDown}
  >
    <div class="list-space" role="presentation" style=${{ height: `${length * rowHeight}px` }}>
      ${rows.map(
        (index) => html`<div
          key=${index}
          id=${`${id}-${index}`}
          role="option"
          class="row"
          aria-selected=${index === active ? 'true' : 'false'}
          aria-posinset=${index + 1}
          aria-setsize=${length}
          style=${{ height: `${rowHeight}px`, transform: `translateY(${index * rowHeight}px)` }}
          onMouseDown=${(/** @type {MouseEvent} */ event) => event.button === 0 && choose(index)}
          onClick=${(/** @type {MouseEvent} */ event) => event.detail === 0 && choose(index)}
        >
          ${row(index)}
        </div>`,
      )}
    </div>
  </div>`;
}
