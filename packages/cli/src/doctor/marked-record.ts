import { hostname } from 'node:os';
import type { LogRecord } from '@logferry/core';

/** The record that the check `write` ships: people and queries can tell it from others. */
export function markedRecord(): LogRecord {
  const time = Date.now();
  const fields = { logferry: 'doctor', time: new Date(time).toISOString(), host: hostname() };
  return { time, level: 'info', urgent: false, text: JSON.stringify(fields), fields };
}
