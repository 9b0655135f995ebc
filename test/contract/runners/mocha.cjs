const assert = require('node:assert/strict');
const { destinationContract } = require('@logferry/core/testing');

const faults = JSON.parse(process.env.PLANTED_FAULTS);
const start = async () => (await import('./collector.mjs')).startCollector(faults);
destinationContract({ test: it, assert }, { name: 'collector', start });
