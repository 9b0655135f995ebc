export { enclosePayloads } from './batch.js';
export type { DeliveredMessage, DroppedMessage, ErrorMessage, RetryMessage } from './channels.js';
export type { Clock, Timer } from './clock.js';
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
} from './config.js';
export type {
  Batch,
  BatchLimits,
  Destination,
  DestinationRecipe,
  DropReason,
  EncodedEvent,
  Encoding,
  SendOutcome,
} from './destination.js';
export { ConfigError, type DeliveryCode, DeliveryError, type DeliveryErrorOptions } from './errors.js';
export {
  createHttpClient,
  type HttpAnswer,
  type HttpClient,
  type HttpRequest,
  NEVER_SENT,
  parseRetryAfter,
} from './http.js';
export { assertBalanced, type Ledger } from './ledger.js';
export {
  DEFAULT_CLOSE_TIMEOUT_MS,
  type DeliveryOptions,
  type Drop,
  deliveryOptionNames,
  type RetryOptions,
} from './options.js';
export { type LogRecord, toEpochMs } from './record.js';
export { type Reporter, stderrReporter } from './report.js';
export { createShipper, type DeliveryReport, type DeliveryStats, type Seams, type Shipper } from './shipper.js';
export { stringify } from './stringify.js';
export { sumStats } from './sum-stats.js';
export { createThreadShipper } from './thread-shipper.js';
export { endOfSlice, utf8Bytes } from './utf8.js';
