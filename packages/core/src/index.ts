export type { DeliveredMessage, DroppedMessage, ErrorMessage, RetryMessage } from './accounting/channels.js';
export { assertBalanced, type LedgerTotals } from './accounting/ledger.js';
export { type Reporter, stderrReporter } from './accounting/reporter.js';
export { sumStats } from './accounting/sum-stats.js';
export { enclosePayloads } from './batch/request-batch.js';
export type { Clock, Timer } from './contract/clock.js';
export type {
  Batch,
  BatchLimits,
  Destination,
  DestinationRecipe,
  DropReason,
  EncodedEvent,
  Encoding,
  SendOutcome,
} from './contract/destination.js';
export { ConfigError, type DeliveryCode, DeliveryError, type DeliveryErrorOptions } from './contract/errors.js';
export { type LogRecord, toEpochMs } from './contract/record.js';
export {
  booleanOption,
  choiceOption,
  functionOption,
  numberOption,
  objectOption,
  refuseUnknownOptions,
  splitOptions,
  stringOption,
  wrongOption,
} from './options/checks.js';
export {
  DEFAULT_CLOSE_TIMEOUT_MS,
  type DeliveryOptions,
  type Drop,
  deliveryOptionNames,
  type RetryOptions,
} from './options/delivery-options.js';
export { createShipper, type DeliveryReport, type DeliveryStats, type Seams, type Shipper } from './shipper.js';
export { createThreadShipper } from './thread/thread-shipper.js';
export {
  createHttpClient,
  type HttpClient,
  type HttpRequest,
  type HttpResponse,
  NEVER_SENT,
  parseRetryAfter,
} from './tools/http.js';
export { stringify } from './tools/stringify.js';
export { endOfSlice, utf8Bytes } from './tools/utf8.js';
