// winston's own suite for transports; it needs mocha's globals.
const abstractSuite = require('abstract-winston-transport');
const { CloudWatchTransport } = require('@logferry/winston/cloudwatch');
const { startCloudWatch } = require('@logferry/emulators');

let cloud;
before(async () => {
  cloud = await startCloudWatch();
  Object.assign(process.env, cloud.env);
});
after(() => cloud.close());

abstractSuite({
  name: 'CloudWatchTransport',
  Transport: CloudWatchTransport,
  construct: { logGroupName: 'abstract-winston-transport' },
});
