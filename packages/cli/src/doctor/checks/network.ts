import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { addressOf, ClockCheck, DeliveryError, describeAnswer, type HttpResponse, readAnswer } from '@logferry/core';
import type { Check, Context } from '../check.js';
import type { Cloud } from '../clouds/cloud.js';
import { type Finding, failed, ok, SET_CLOCK, skipped, warning } from '../finding.js';
import { lookFor } from '../look.js';
import { isTlsError } from '../network.js';

export const dns: Check = {
  name: 'dns',
  needs: ['region'],
  run: unlessOwn(async ({ network }) => {
    const url = await network.url();
    const proxy = await network.proxy().catch(() => undefined);
    const host = (proxy?.hostname ?? url.hostname).replace(/^\[|\]$/g, '');
    const note = proxy ? ` (the proxy looks ${url.hostname} up)` : '';
    if (isIP(host)) return ok(`${host} is an address${note}`);
    try {
      const found = await lookup(host, { all: true });
      return ok(`${host} is ${found.map(({ address }) => address).join(', ')}${note}`);
    } catch (error) {
      const remedy = proxy
        ? 'correct the URL of the proxy (option "proxy", HTTPS_PROXY)'
        : `correct region or endpoint, or the name servers of this machine: nslookup ${host}`;
      return failed(`no address of ${host}: ${(error as Error).message}`, remedy);
    }
  }),
};

export const proxy: Check = {
  name: 'proxy',
  needs: ['dns'],
  run: unlessOwn(async ({ cloud, network }, signal) => {
    const source = typeof cloud.proxy === 'string' ? 'option "proxy"' : 'environment';
    let chosen: Awaited<ReturnType<typeof network.proxy>>;
    try {
      chosen = await network.proxy();
    } catch (error) {
      return failed((error as Error).message, 'correct or unset the variable, or set the option "proxy" to false');
    }
    if (!chosen) return ok(cloud.proxy === false ? 'none (option "proxy" is false)' : 'none');
    const reached = await network.reach(signal);
    if ('response' in reached || reached.blame !== 'proxy') return ok(`${chosen.label} (${source})`);
    return failed(`${chosen.label} (${source}): ${reached.reason}`, proxyRemedy(reached.error));
  }),
};

export const connection: Check = {
  name: 'connection',
  needs: ['proxy'],
  run: unlessOwn(async ({ network }, signal) => {
    const url = await network.url();
    const address = addressOf(url);
    const reached = await network.reach(signal);
    if ('error' in reached) {
      const failure = `${address}: ${reached.reason}`;
      return failed(failure, isTlsError(reached.error) ? tlsRemedy(reached.error) : REFUSED);
    }
    if (url.protocol === 'https:') return ok(`TLS to ${address}, whose certificate is trusted`);
    if (isLoopback(url.hostname)) return ok(`${address}, without TLS`);
    return warning(`${address}, without TLS: anybody on the way can read the records`, 'use an endpoint with https://');
  }),
};

export const service: Check = {
  name: 'service',
  needs: ['connection'],
  run: unlessOwn(async (context, signal) => {
    const { cloud, network } = context;
    const reached = await network.reach(signal);
    if ('error' in reached) return failed(reached.reason, REFUSED);
    if (isServices(reached.response, cloud)) return ok(`${cloud.title} answers`);
    const answer = describeAnswer(readAnswer(reached.response));
    // A server for tests, or a gateway, may know requests of the service and no other.
    const isAnswered = await lookFor(context, signal).then(
      (place) => place.isAnswered,
      (error) => DeliveryError.is(error) && error.requestId !== undefined,
    );
    if (isAnswered) return ok(`${cloud.title} answers requests with credentials`);
    if (!isPage(reached.response))
      return skipped(`not known to be ${cloud.title}, which the next checks show: ${answer}`);
    return failed(
      `some other server answers, and not ${cloud.title}: ${answer}`,
      'log in to the network (a captive portal), correct the endpoint, or let the proxy pass requests on',
    );
  }),
};

export const clock: Check = {
  name: 'clock',
  needs: ['service'],
  run: unlessOwn(async ({ cloud, network }, signal) => {
    const reached = await network.reach(signal);
    // The clock of another server, such as a proxy, may be wrong.
    const date = 'response' in reached && isServices(reached.response, cloud) ? reached.response.headers.date : '';
    const dateMs = Date.parse(date ?? '');
    if ('error' in reached || Number.isNaN(dateMs)) return skipped(`${cloud.title} does not tell the time`);
    const offsetMs = dateMs - reached.receivedAtMs;
    const fault = new ClockCheck().faultOf(offsetMs, cloud.title);
    if (!fault) return ok(`right, within ${Math.ceil(Math.abs(offsetMs) / 1000) + 1} s of ${cloud.title}`);
    const { maxPastMs = Number.POSITIVE_INFINITY, maxFutureMs = Number.POSITIVE_INFINITY } =
      cloud.createDestination().limits;
    if (offsetMs <= maxPastMs && -offsetMs <= maxFutureMs) return warning(fault.message, SET_CLOCK);
    return failed(`${fault.message}; the service takes no record of such a time`, SET_CLOCK);
  }),
};

/** With a client or a `fetch` of the user's nothing is known of the way to the service. */
function unlessOwn(run: Check['run']): Check['run'] {
  return async (context: Context, signal): Promise<Finding> => {
    const { ownConnections } = context.cloud;
    if (ownConnections === undefined) return run(context, signal);
    return skipped(`the option "${ownConnections}" makes the connections`);
  };
}

function isServices({ headers, body }: HttpResponse, { probe }: Cloud): boolean {
  return headers[probe.requestIdHeader] !== undefined || probe.isServices(new TextDecoder().decode(body));
}

/** A page for people, or a way to one: services for programs have neither. */
function isPage({ status, headers, body }: HttpResponse): boolean {
  const isRedirect = status >= 300 && status < 400;
  return (
    isRedirect ||
    /html/i.test(headers['content-type'] ?? '') ||
    /^\s*<(!doctype|html)/i.test(new TextDecoder().decode(body))
  );
}

function proxyRemedy(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  if (code === 'ERR_PROXY_LOGIN') return 'put user name and password into its URL: http://USER:PASSWORD@HOST:PORT';
  if (code === 'ERR_PROXY_REFUSAL') return 'have the proxy allow CONNECT to the service, or go around it: NO_PROXY';
  if (code === 'ERR_PROXY_FAILURE')
    return 'find out why the proxy does not reach the service, or go around it: NO_PROXY';
  return 'start the proxy, correct its URL (option "proxy", HTTPS_PROXY), or go around it: NO_PROXY, or proxy: false';
}

function tlsRemedy(error: unknown): string {
  const { code } = error as { readonly code?: unknown };
  if (code === 'EPROTO' || /^ERR_SSL/.test(String(code)) || code === 'ECONNRESET')
    return 'the server does not speak TLS at this port: use http:// in the endpoint of a local server, or correct the port';
  if (/ALTNAME|EXPIRED|NOT_YET_VALID/.test(String(code)))
    return 'correct endpoint and clock: the certificate is of another host, or of another time';
  return 'if the server is the right one: NODE_EXTRA_CA_CERTS=/path/to/ca.pem';
}

const REFUSED = 'correct region or endpoint, and let requests through: firewall, security group, VPC endpoint';

function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || hostname.startsWith('127.');
}
