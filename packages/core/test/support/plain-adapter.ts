import { createShipper, type DeliveryOptions, type Destination, type LogRecord, stringify } from '../../src/index.js';
import type { RunningLogger } from '../../src/testing/index.js';

/** The smallest adapter: a logger without a framework. */
export function startPlainAdapter(destination: Destination, options: DeliveryOptions): RunningLogger {
  const shipper = createShipper(destination, options);
  return {
    log: (level, text, fields) => void shipper.accept(recordOf(level, text, fields)),
    flush: () => shipper.flush(),
    end: () => shipper.close(),
    stats: () => shipper.stats(),
  };
}

export function recordOf(level: 'info' | 'warn', message: string, fields: LogRecord['fields']): LogRecord {
  const all = { ...fields, message };
  return { time: Date.now(), level, urgent: level === 'warn', fields: all, text: stringify(all) };
}
