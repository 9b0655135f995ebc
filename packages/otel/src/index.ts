export { type LogferryMetrics, type ObserveOptions, observeLogferry } from './observe.js';
