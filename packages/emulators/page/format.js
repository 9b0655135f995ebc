// @ts-check

/** @param {number} value */
export function count(value) {
  return Math.round(value).toLocaleString('en-US');
}

/**
 * `1 record`, `2,000 records`
 *
 * @param {number} value
 * @param {string} noun
 */
export function counted(value, noun) {
  return `${count(value)} ${noun}${value === 1 ? '' : 's'}`;
}

/** @param {number} value */
export function bytes(value) {
  if (value < 1000) return `${Math.round(value)} B`;
  if (value < 1e6) return `${(value / 1e3).toFixed(1)} kB`;
  return `${(value / 1e6).toFixed(1)} MB`;
}

/** @param {number} ms */
export function duration(ms) {
  if (ms === 0) return '0 ms';
  if (ms < 10) return `${ms.toFixed(1)} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${Math.round(ms / 60_000)} min`;
}

/**
 * Time of the day, by the browser's clock: 14:03:09.042
 *
 * @param {number} epochMs
 */
export function timeOfDay(epochMs) {
  const date = new Date(epochMs);
  const [hours, minutes, seconds] = [date.getHours(), date.getMinutes(), date.getSeconds()].map((part) =>
    String(part).padStart(2, '0'),
  );
  return `${hours}:${minutes}:${seconds}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}

/** @param {number} share */
export function percent(share) {
  return `${Math.round(share * 100)} %`;
}

/**
 * A group and stream, or a logstore and topic.
 *
 * @param {{ parent: string, child: string } | undefined} place
 */
export function placeName(place) {
  if (!place) return '';
  return place.child === '' ? place.parent : `${place.parent} · ${place.child}`;
}
