import { BlockList, isIP } from 'node:net';
import { attempt } from './attempt.js';
import { loadPackage } from './load-package.js';
import { moduleUrl } from './module-url.js';

/** The option `proxy`: the URL of a proxy for all requests, `false` for none, `undefined` for what the environment says. */
export type ProxySetting = string | false | undefined;

/** A forward proxy for HTTP. */
export interface ForwardProxy {
  /** Its URL without user name and password, for messages: `"http://proxy.example:3128"`. */
  readonly label: string;
  readonly protocol: 'http:' | 'https:';
  /** Name or address, without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** The header that proves who asks; none if the URL has no user name. */
  readonly headers: Readonly<Record<string, string>>;
}

/** Reads the URL of a proxy: `"http://user:password@proxy.example:3128"`, also without scheme. `undefined` if it is none. */
export function parseProxy(text: string): ForwardProxy | undefined {
  const hasScheme = /^[a-z][a-z\d+.-]*:\/\//i.test(text);
  // A misspelt scheme would be taken for a name: `http//proxy.example`.
  if (!hasScheme && /\/./.test(text)) return undefined;
  const withScheme = hasScheme ? text : `http://${text}`;
  if (!URL.canParse(withScheme)) return undefined;
  const { protocol, host, hostname, port, username, password } = new URL(withScheme);
  if (protocol !== 'http:' && protocol !== 'https:') return undefined;
  const login = `${decoded(username)}:${decoded(password)}`;
  return {
    label: `${protocol}//${host}`,
    protocol,
    hostname: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
    headers: username ? { 'proxy-authorization': `Basic ${Buffer.from(login).toString('base64')}` } : {},
  };
}

/**
 * Makes the function that chooses the proxy of a URL; `undefined`: none. Addresses of the own link, where machines have their
 * metadata, never have one. Without a setting the environment decides, as it is at each call: `https_proxy`, `HTTPS_PROXY`,
 * `http_proxy`, `HTTP_PROXY` by the scheme of the URL, and `no_proxy`, `NO_PROXY`. The function rejects for a variable that is no URL.
 */
export function proxyChooser(
  setting: ProxySetting,
): (target: URL) => ForwardProxy | undefined | Promise<ForwardProxy | undefined> {
  const given = setting ? parseProxy(setting) : undefined;
  return (target) => {
    if (setting === false || !/^https?:$/.test(target.protocol) || isLinkLocal(target.hostname)) return undefined;
    return given ?? proxyOfEnvironment(target);
  };
}

/** Codes of errors of a proxy itself, which the service never saw. */
export const PROXY_ERRORS = {
  wantsLogin: 'ERR_PROXY_LOGIN',
  refuses: 'ERR_PROXY_REFUSAL',
  fails: 'ERR_PROXY_FAILURE',
  isInvalid: 'ERR_PROXY_INVALID',
} as const;

/** The error of a request that a proxy answered itself, with this status. */
export function proxyRefusal(request: string, status: number, text = ''): Error {
  const { wantsLogin, fails, refuses } = PROXY_ERRORS;
  const code = status === 407 ? wantsLogin : status >= 500 || status === 408 || status === 429 ? fails : refuses;
  const reason = text.slice(0, MAX_REASON_LENGTH);
  return Object.assign(new Error(`the proxy answered HTTP ${status}${reason && ` ${reason}`} to ${request}`), { code });
}

const MAX_REASON_LENGTH = 100;

/** https://www.rfc-editor.org/rfc/rfc3927, https://www.rfc-editor.org/rfc/rfc4291#section-2.5.6, and the IPv6 addresses of EC2's metadata. */
const LINK_LOCAL = new BlockList();
LINK_LOCAL.addSubnet('169.254.0.0', 16, 'ipv4');
LINK_LOCAL.addSubnet('fe80::', 10, 'ipv6');
LINK_LOCAL.addSubnet('fd00:ec2::', 32, 'ipv6');

function isLinkLocal(hostname: string): boolean {
  const address = hostname.replace(/^\[|\]$/g, '');
  const family = isIP(address);
  return family !== 0 && LINK_LOCAL.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

function proxyOfEnvironment(target: URL): Promise<ForwardProxy | undefined> | undefined {
  const name = `${target.protocol.slice(0, -1)}_proxy`;
  const variable = [name, name.toUpperCase()].find((each) => process.env[each]);
  return variable === undefined ? undefined : chooseByVariable(variable, target);
}

async function chooseByVariable(variable: string, { href }: URL): Promise<ForwardProxy | undefined> {
  const value = process.env[variable] ?? '';
  const { getProxyForUrl } = await loadRules();
  // Only NO_PROXY is the package's: to a proxy without scheme it gives that of the request, where curl and others take http.
  if (!getProxyForUrl(href)) return undefined;
  const proxy = parseProxy(value);
  if (proxy) return proxy;
  const message = `the environment variable ${variable} has to be the URL of a proxy, with http:// or https://`;
  throw Object.assign(new Error(message), { code: PROXY_ERRORS.isInvalid });
}

type Rules = typeof import('proxy-from-env');
let rules: Promise<Rules> | undefined;

function loadRules(): Promise<Rules> {
  rules ??= loadPackage({
    name: 'proxy-from-env',
    load: () => import('proxy-from-env'),
    parentUrl: moduleUrl,
  }).catch((error: unknown) => {
    rules = undefined;
    throw error;
  });
  return rules;
}

/** A percent sign that encodes nothing stands for itself. */
function decoded(part: string): string {
  return part.replace(/(%[\da-f]{2})+/gi, (encoded) => attempt(() => decodeURIComponent(encoded)) ?? encoded);
}
