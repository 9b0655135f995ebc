import { startReporting } from './report/reporter.js';

/**
 * To be imported without a binding, or loaded by `node --import @logferry/emulators/report`: posts the counters and the channels'
 * messages of all Logferry transports in this thread each second to the page at the address in LOGFERRY_DEV. Without the variable it
 * does nothing.
 */
startReporting(process.env.LOGFERRY_DEV);
