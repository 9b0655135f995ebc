// winston's own suite for transports; it needs mocha's globals.
const abstractSuite = require('abstract-winston-transport');
const { CloudWatchTransport } = require('@logferry/winston/cloudwatch');
const { startCloudWatch } = require('@logferry/emulators');

const made = [];
class Transport extends CloudWatchTransport {
  constructor(options) {
    super(options);
    made.push(this);
  }
}

let cloud;
before(async () => {
  cloud = await startCloudWatch();
  Object.assign(process.env, cloud.env);
});
after(async () => {
  for (const transport of made) await transport.close();
  await cloud.close();
});

abstractSuite({
  name: 'CloudWatchTransport',
  Transport,
  construct: { logGroupName: 'abstract-winston-transport' },
});
