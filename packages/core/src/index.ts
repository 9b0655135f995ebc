// Ship records.

export type { DeliveredMessage, DroppedMessage, ErrorMessage, RetryMessage } from './accounting/channels.js';
export { assertBalanced } from './accounting/ledger.js';
export { statsByDestination } from './accounting/listing.js';
export type { DeliveryStats } from './accounting/stats.js';
export type { Clock, Timer } from './contract/clock.js';
export type { Drop, DropReason } from './contract/destination.js';
export { ConfigError, type DeliveryCode, DeliveryError, type DeliveryErrorOptions } from './contract/errors.js';
export type { LogRecord } from './contract/record.js';
export { createShipper } from './create-shipper.js';
export type { DeliveryOptions, RetryOptions } from './options/delivery-options.js';
export type { RedactOptions, ShapingOptions, ShippedRecord } from './options/shaping-options.js';
export type { SpoolOptions } from './options/spool-options.js';
export type { DeliveryReport, FlushOptions, Seams, Shipper } from './shipper.js';
export { type AnyFunction, type Flushable, withFlush } from './with-flush.js';

// Write a destination.

export { enclosePayloads } from './batch/request-batch.js';
export type {
  Batch,
  BatchLimits,
  Destination,
  DestinationDescription,
  DestinationRecipe,
  EncodedEvent,
  Encoding,
  FieldsDestination,
  FieldsRecord,
  FullDestination,
  PayloadSeparator,
  SendOutcome,
  TextDestination,
  TextRecord,
} from './contract/destination.js';
export {
  type Answer,
  type AnswerFormat,
  classifyAnswer,
  describeAnswer,
  type HttpResponse,
  isSuccess,
  type ReceivedResponse,
  readAnswer,
  throughProxy,
} from './tools/answer.js';
export { ClockCheck } from './tools/clock-check.js';
export {
  CredentialLookup,
  type CredentialLookupOptions,
  MIN_RENEWAL_MS,
  type PassingFailure,
} from './tools/credential-lookup.js';
export { createHttpClient, type HttpClient, type HttpClientOptions, type HttpRequest } from './tools/http.js';
export { addressOf, markUnsent, noAnswer } from './tools/http-errors.js';
export { assertFilesLoad, type LazyPackage, loadPackage, rethrow } from './tools/load-package.js';
export type { LookupAll } from './tools/lookup.js';
export { orAborted } from './tools/or-aborted.js';
export { ownFile } from './tools/own-file.js';
export { type ForwardProxy, type ProxySetting, proxyChooser } from './tools/proxy.js';
export { stringify, toPrimitive } from './tools/stringify.js';
export { endOfSlice, findCap, MAX_PART_HEADER_BYTES, split, truncate, utf8Bytes } from './tools/text.js';
export { toDateMs } from './tools/time.js';
export { warn } from './tools/warn.js';

// Write an adapter; check options.

export { sumStats, sumTotals, withNothingInUse } from './accounting/stats.js';
export {
  booleanOption,
  choiceOption,
  faultOfKeys,
  functionOption,
  type KeyFault,
  nearestName,
  numberOption,
  objectOption,
  optionNames,
  proxyOption,
  refuseUnknownOptions,
  splitOptions,
  stringOption,
  wrongOption,
  wrongSecret,
} from './options/checks.js';
export { DEFAULT_CLOSE_TIMEOUT_MS, DEFAULT_MAX_BUFFER_BYTES, deliveryOptionNames } from './options/delivery-options.js';
export { asNamedElsewhere, type OtherOption, type OtherPackages } from './options/other-packages.js';
export {
  callRoute,
  compileName,
  cutName,
  type NamedRecord,
  type NameRule,
  nameOf,
  type RecordName,
} from './options/record-names.js';
export { withHooks } from './thread/hooks.js';
export { type JoinedChannel, joinChannel } from './thread/join-channel.js';
export { isWorkerStream, replyStats, statsOfWorker, type WorkerStream } from './thread/worker-stats.js';
export { errorFields, isError } from './tools/errors.js';
export { guarded, inBackground } from './tools/guarded.js';
export { isUrgentLevel, levelLabel, standardLevels } from './tools/levels.js';
export { parseObject } from './tools/parse-object.js';
export { sharedState } from './tools/shared-state.js';
export { delay, nextTick, nextTurn, outsideContext, systemClock } from './tools/system-clock.js';
export { toEpochMs } from './tools/time.js';
