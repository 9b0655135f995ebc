// Preloaded with --require, as OpenTelemetry's guide has it: also runs in each worker thread. Writes each span that ends to the file
// that SPANS names.
const { appendFileSync } = require('node:fs');
const { registerInstrumentations } = require('@opentelemetry/instrumentation');
const { AwsInstrumentation } = require('@opentelemetry/instrumentation-aws-sdk');
const { DnsInstrumentation } = require('@opentelemetry/instrumentation-dns');
const { HttpInstrumentation } = require('@opentelemetry/instrumentation-http');
const { PinoInstrumentation } = require('@opentelemetry/instrumentation-pino');
const { UndiciInstrumentation } = require('@opentelemetry/instrumentation-undici');
const { WinstonInstrumentation } = require('@opentelemetry/instrumentation-winston');
const { NodeTracerProvider, SimpleSpanProcessor } = require('@opentelemetry/sdk-trace-node');

const exporter = {
  export(spans, done) {
    for (const span of spans) {
      const { traceId, spanId } = span.spanContext();
      const { name: scope } = span.instrumentationScope ?? span.instrumentationLibrary;
      const line = JSON.stringify({ name: span.name, scope: scope.split('/').at(-1), traceId, spanId });
      appendFileSync(process.env.SPANS, `${line}\n`);
    }
    done({ code: 0 });
  },
  async shutdown() {},
};
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
registerInstrumentations({
  instrumentations: [
    new AwsInstrumentation(),
    new DnsInstrumentation(),
    new HttpInstrumentation(),
    new PinoInstrumentation(),
    new UndiciInstrumentation(),
    new WinstonInstrumentation(),
  ],
});
