/**
 * Runs a function so that OpenTelemetry's instrumentations make no spans of what it does, and write no trace context into its
 * requests: as OpenTelemetry's own exporters do. Without OpenTelemetry it only calls the function.
 *
 * Node.js' modules are instrumented for the whole process, so that each request of ours would be a span that is shipped, too. The two
 * symbols are those by which the copies of OpenTelemetry's packages find each other; so core needs none of them.
 */
export function untraced<T>(act: () => T): T {
  const { context: contexts } = (Reflect.get(globalThis, API) ?? {}) as { readonly context?: ContextManager };
  return contexts ? contexts.with(contexts.active().setValue(SUPPRESS_TRACING, true), act) : act();
}

/** The key of `suppressTracing()` of `@opentelemetry/core`. */
const SUPPRESS_TRACING = Symbol.for('OpenTelemetry SDK Context Key SUPPRESS_TRACING');

/** Where `@opentelemetry/api` keeps what an SDK has registered, in all versions 1.x. */
const API = Symbol.for('opentelemetry.js.api.1');

interface Context {
  setValue(key: symbol, value: unknown): Context;
}

interface ContextManager {
  active(): Context;
  with<T>(context: Context, act: () => T): T;
}
