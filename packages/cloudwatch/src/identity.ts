import type { ConnectionSettings } from './resolve-options.js';

/** It changes with the form of the payload of events. */
const PAYLOAD_FORMAT = 1;

/** Names the account and its region, as far as the options say, and the form of the payload. Group and stream are in the route. */
export function identityOf(settings: ConnectionSettings): string {
  const { endpoint, client, profile, assumeRole } = settings;
  // Another profile, or the role of another account, writes to log groups of the same names.
  const account = assumeRole?.roleArn.split(':')[4] ?? (profile === undefined ? undefined : `that of ${profile}`);
  return JSON.stringify([
    ...['cloudwatch', PAYLOAD_FORMAT, endpointOf(endpoint, client), regionOf(settings)],
    ...(account === undefined ? [] : [account]),
  ]);
}

/** As the AWS SDK finds it, but for one of the shared files, which the SDK reads later. Without user name, password and query. */
function endpointOf(endpoint: string | undefined, client: unknown): string {
  const { AWS_ENDPOINT_URL_CLOUDWATCH_LOGS, AWS_ENDPOINT_URL, AWS_IGNORE_CONFIGURED_ENDPOINT_URLS } = process.env;
  if (client !== undefined) return '';
  const isIgnored = AWS_IGNORE_CONFIGURED_ENDPOINT_URLS === 'true';
  const configured = isIgnored ? undefined : AWS_ENDPOINT_URL_CLOUDWATCH_LOGS || AWS_ENDPOINT_URL;
  const url = endpoint ?? configured ?? '';
  if (!URL.canParse(url)) return url;
  const { origin, pathname } = new URL(url);
  return origin + pathname;
}

/** As the AWS SDK finds it, which reads the shared files later. A client tells its region only when asked, and not at once. */
function regionOf({ region, client, profile }: ConnectionSettings): string {
  const { AWS_REGION, AWS_PROFILE = 'default' } = process.env;
  if (client !== undefined) return 'that of the client';
  return region ?? AWS_REGION ?? `that of the profile ${profile ?? AWS_PROFILE}`;
}
