import { trace } from '@opentelemetry/api';

/** The ids of the active span, by the names of OpenTelemetry, and in AWS Lambda that of X-Ray. Read anew for each record. */
export const traceIds = {
  get trace_id() {
    return trace.getActiveSpan()?.spanContext().traceId;
  },
  get span_id() {
    return trace.getActiveSpan()?.spanContext().spanId;
  },
  get xray_trace_id() {
    // "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"
    return /Root=([^;]+)/.exec(process.env._X_AMZN_TRACE_ID ?? '')?.[1];
  },
};
