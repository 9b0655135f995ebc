// Preloaded with --require: no name but localhost resolves, as in a container without a name service. musl and minimal images do
// not resolve names such as shop.localhost either.
const dns = require('node:dns');
const { syncBuiltinESMExports } = require('node:module');
const { isIP } = require('node:net');

const { lookup } = dns;
dns.lookup = (host, ...rest) => {
  if (isIP(host) || host === 'localhost') return lookup(host, ...rest);
  const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: 'ENOTFOUND', hostname: host });
  process.nextTick(rest.at(-1), error);
};
syncBuiltinESMExports();
