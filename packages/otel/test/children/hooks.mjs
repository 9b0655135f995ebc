// Lets OpenTelemetry's instrumentations see ES modules, as its guide has it.
import { register } from 'node:module';

register('@opentelemetry/instrumentation/hook.mjs', import.meta.url);
