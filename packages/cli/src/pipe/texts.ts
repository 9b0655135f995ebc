import type { DeliveryReport, DeliveryStats } from '@logferry/core';

/** `1,234,567` */
export function digits(number: number): string {
  return Math.round(number).toLocaleString('en-US');
}

/** `3 records` */
export function count(number: number, noun: string): string {
  return `${digits(number)} ${noun}${number === 1 ? '' : 's'}`;
}

/** `64 s`, `12 min` */
function duration(ms: number): string {
  if (ms < 10_000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 120_000 ? `${Math.round(ms / 1000)} s` : `${Math.round(ms / 60_000)} min`;
}

/** `12.3 MB` */
export function size(bytes: number): string {
  if (bytes < 1000) return `${bytes} B`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Records that were lost, of all reasons; those that were left out on purpose are none. */
export function lostOf({ rejected, dropped }: DeliveryReport): number {
  const all = Object.values(dropped).reduce((sum, records) => sum + records, 0);
  return rejected + all - dropped.sampled - dropped.filtered;
}

/** The line that shows while a command ships: `12,000/s · 240,000 delivered · 4,100 waiting · 2 retries · oldest 0.8 s` */
export function statusText(stats: DeliveryStats, perSecond: number): string {
  const retries = Object.values(stats.retries).reduce((sum, times) => sum + times, 0);
  return [
    `${digits(perSecond)}/s`,
    `${digits(stats.delivered)} delivered`,
    `${digits(stats.pending)} waiting`,
    ...(stats.spooled > 0 ? [`${digits(stats.spooled)} on disk`] : []),
    ...(retries > 0 ? [`${digits(retries)} ${retries === 1 ? 'retry' : 'retries'}`] : []),
    ...(stats.pending > 0 ? [`oldest ${duration(stats.oldestAgeMs)}`] : []),
    ...(lostOf(stats) > 0 ? [`${digits(lostOf(stats))} lost`] : []),
  ].join(' · ');
}

/** The last line of a command that ships. */
export function reportText(stats: DeliveryStats, tookMs: number, title: string): string {
  const lost = lostOf(stats);
  const perSecond = stats.delivered / Math.max(0.001, tookMs / 1000);
  const parts = [
    `${count(stats.delivered, 'record')} delivered to ${title} in ${duration(tookMs)} (${digits(perSecond)}/s), by ${count(stats.requests, 'request')}`,
  ];
  if (stats.spooled > 0) parts.push(`${digits(stats.spooled)} are on disk, for the next start`);
  if (stats.redated > 0) parts.push(`${digits(stats.redated)} got the time now, since the service refuses their own`);
  if (stats.ambiguous > 0)
    parts.push(`${count(stats.ambiguous, 'request')} without an answer may be stored, or stored twice`);
  if (lost > 0) parts.push(`${digits(lost)} lost (${reasonsText(stats)})`);
  return parts.join('; ');
}

function reasonsText({ dropped, rejectedByReason }: DeliveryStats): string {
  const reasons = Object.entries(dropped)
    .filter(([reason]) => reason !== 'sampled' && reason !== 'filtered')
    .map(([reason, records]) => [reason, records + (rejectedByReason[reason as keyof typeof rejectedByReason] ?? 0)]);
  return reasons
    .filter(([, records]) => Number(records) > 0)
    .map(([reason, records]) => `${reason} ${digits(Number(records))}`)
    .join(', ');
}
