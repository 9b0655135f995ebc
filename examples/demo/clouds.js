import { CloudWatchLogsClient, FilterLogEventsCommand } from '@aws-sdk/client-cloudwatch-logs';
import { startCloudWatch, startDev, startLogService } from '@logferry/emulators';

/** Starts both local servers, with a page if it is wanted. Returns their environment variables and functions that read their stored records. */
export async function startClouds({ page }) {
  const { url, cloudWatch, logService, close } = page ? await startDev({ strict: true }) : await startServers();
  const { endpoint, project, logstore } = logService.target;
  return {
    /** Address of the page. */
    url,
    env: {
      ...cloudWatch.env,
      ...logService.env,
      ...(page && { LOGFERRY_DEV: url, NODE_OPTIONS: `--import=${import.meta.resolve('@logferry/emulators/report')}` }),
      SLS_ENDPOINT: endpoint,
      SLS_PROJECT: project,
      SLS_LOGSTORE: logstore,
    },
    services: {
      cloudwatch: {
        title: 'CloudWatch Logs',
        url: cloudWatch.url,
        countStored: (stream) => {
          return cloudWatch.events().filter((event) => event.logStreamName.startsWith(`${stream}/`)).length;
        },
        readBack: () => readCloudWatch(cloudWatch),
      },
      'log-service': {
        title: 'Log Service',
        url: logService.url,
        countStored: (topic) => logService.events({ topic }).length,
        readBack: () => readLogService(logService),
      },
    },
    violations() {
      const all = [...cloudWatch.stats().violations, ...logService.stats().violations];
      return all.map((violation) => `the service refused a request: ${JSON.stringify(violation)}`);
    },
    close,
  };
}

async function startServers() {
  const cloudWatch = await startCloudWatch({ strict: true });
  const logService = await startLogService({ strict: true });
  const close = async () => {
    await cloudWatch.close();
    await logService.close();
  };
  return { cloudWatch, logService, close };
}

/** The first record of each stream, read with the AWS SDK. */
async function readCloudWatch({ url, env, events }) {
  const { AWS_REGION: region, AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = env;
  const client = new CloudWatchLogsClient({ endpoint: url, region, credentials: { accessKeyId, secretAccessKey } });
  const lines = [];
  for (const logStreamName of new Set(events().map((event) => event.logStreamName))) {
    const query = { logGroupName: 'logferry-examples', logStreamNames: [logStreamName], limit: 1 };
    const { events: found = [] } = await client.send(new FilterLogEventsCommand(query));
    for (const { timestamp, message } of found) lines.push(format(timestamp, logStreamName, message));
  }
  client.destroy();
  return lines;
}

/** The first log of each topic. */
function readLogService(logService) {
  const topics = [...new Set(logService.events().map((event) => event.topic))];
  return topics.map((topic) => {
    const [{ time, fields }] = logService.events({ topic });
    return format(time, topic, JSON.stringify(fields));
  });
}

function format(time, origin, text) {
  return `${new Date(time).toISOString()}  ${origin}\n    ${text.length > 110 ? `${text.slice(0, 110)}…` : text}`;
}
