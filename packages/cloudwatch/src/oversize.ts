import { randomUUID } from 'node:crypto';
import { endOfSlice } from '@logferry/core';
import { shortenJson } from './shorten-json.js';

/**
 * What becomes of a message that is larger than `maxBytes` of UTF-8: the messages to send in its place, each within the
 * limit; none when it has to be dropped. Expects well-formed text, and a limit of at least 256.
 */
export function fitMessage(text: string, maxBytes: number, policy: 'truncate' | 'split' | 'drop'): readonly string[] {
  if (policy === 'drop' || isMetric(text)) return [];
  if (policy === 'split') return split(text, maxBytes);
  return [shortenJson(text, maxBytes) ?? truncate(text, maxBytes)];
}

/** 7 digits are enough: so many parts of 256 bytes are more than a string can hold. */
const MAX_PART_HEADER_BYTES = '[1234567/1234567 01234567] '.length;

/** Parts that say their number, how many there are, and an id that they share. */
function split(text: string, maxBytes: number): string[] {
  const id = randomUUID().slice(0, 8);
  const contents: string[] = [];
  for (let start = 0; start < text.length; ) {
    const end = endOfSlice(text, start, maxBytes - MAX_PART_HEADER_BYTES);
    contents.push(text.slice(start, end));
    start = end;
  }
  return contents.map((content, index) => `[${index + 1}/${contents.length} ${id}] ${content}`);
}

function truncate(text: string, maxBytes: number): string {
  const mark = `… [truncated from ${Buffer.byteLength(text)} bytes]`;
  return text.slice(0, endOfSlice(text, 0, maxBytes - Buffer.byteLength(mark))) + mark;
}

/**
 * Embedded metric format: CloudWatch extracts metrics from the message, which has to be whole for that.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
function isMetric(text: string): boolean {
  // Most messages can do without the cost of being parsed.
  if (!text.includes('"CloudWatchMetrics"')) return false;
  try {
    const { _aws: metadata } = JSON.parse(text);
    return 'CloudWatchMetrics' in metadata;
  } catch {
    return false;
  }
}
