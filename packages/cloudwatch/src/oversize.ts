import { split, truncate } from '@logferry/core';
import { shortenJson } from './shorten-json.js';

/**
 * Fits a message that is larger than `maxBytes` of UTF-8: returns the messages to send in its place, each well-formed and
 * within the limit; none if the message has to be dropped. Expects a limit of at least 256.
 */
export function fitMessage(text: string, maxBytes: number, policy: 'truncate' | 'split' | 'drop'): readonly string[] {
  if (policy === 'drop' || isMetric(text)) return [];
  if (policy === 'split') return split(text.toWellFormed(), { maxBytes });
  const shortened = shortenJson(text, maxBytes)?.toWellFormed();
  // A lone surrogate grows by a byte when it is replaced.
  const fits = shortened !== undefined && Buffer.byteLength(shortened) <= maxBytes;
  return [fits ? shortened : truncate(text, maxBytes).toWellFormed()];
}

/**
 * Whether the message is in embedded metric format: CloudWatch extracts metrics only from a whole message.
 * https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format_Specification.html
 */
function isMetric(text: string): boolean {
  // Spares most messages the cost of parsing.
  if (!text.includes('"CloudWatchMetrics"')) return false;
  try {
    const { _aws: metadata } = JSON.parse(text);
    return 'CloudWatchMetrics' in metadata;
  } catch {
    return false;
  }
}
