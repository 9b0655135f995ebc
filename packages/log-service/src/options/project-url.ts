import { wrongOption } from '@logferry/core';

/**
 * The URL that all requests of a project begin with, without a slash at its end. An endpoint of the service names a region,
 * so the project is put before it; any other URL stands for one project. Throws `ConfigError` for a wrong endpoint.
 */
export function projectUrl(endpoint: unknown, project: string): string {
  const text = typeof endpoint === 'string' ? endpoint.trim() : '';
  const hasScheme = SCHEME.test(text);
  const url = parse(hasScheme ? text : `https://${text}`);
  if (!url || !hasOnlyAddress(url)) throw wrongOption('endpoint', EXPECTED, endpoint);
  if (REGION.test(text)) {
    throw wrongOption('endpoint', `the endpoint "${text}.log.aliyuncs.com" rather than the name of a region`, endpoint);
  }
  if (hasScheme && !url.hostname.endsWith(SERVICE_DOMAIN)) return url.origin + url.pathname.replace(/\/+$/, '');
  if (url.pathname !== '/') throw wrongOption('endpoint', EXPECTED, endpoint);
  if (hasProject(url.hostname, project)) {
    throw wrongOption('endpoint', 'the endpoint of the region, without the project', endpoint);
  }
  const address = parse(`${url.protocol}//${project}.${url.host}`);
  if (!address) throw wrongOption('endpoint', EXPECTED, endpoint);
  return address.origin;
}

const SCHEME = /^https?:\/\//i;
/** `cn-hangzhou`, `ap-southeast-1`. A host without a dot can be addressed by a URL with a scheme only. */
const REGION = /^[a-z\d]+(-[a-z\d]+)+$/i;
const SERVICE_DOMAIN = '.aliyuncs.com';
const EXPECTED =
  'the endpoint of a region ("cn-hangzhou.log.aliyuncs.com"), or a URL that begins with http:// or https://';

function parse(url: string): URL | undefined {
  return URL.canParse(url) ? new URL(url) : undefined;
}

function hasOnlyAddress({ username, password, search, hash }: URL): boolean {
  return username === '' && password === '' && search === '' && hash === '';
}

/** Whether the host is `project.region.log.aliyuncs.com`. A project may be named like a region, so its name alone proves nothing. */
function hasProject(host: string, project: string): boolean {
  return host.startsWith(`${project}.`) && host.split('.').length >= 5;
}
