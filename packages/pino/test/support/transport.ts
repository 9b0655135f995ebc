import { once } from 'node:events';
import pino from 'pino';
import { afterEach } from 'vitest';

export type Transport = ReturnType<typeof pino.transport>;

/** Keeps transports from the garbage collector, which would end their workers: pino refers to them weakly. */
const started: Transport[] = [];

/** A transport that ends with the test. */
export function startTransport(options: Parameters<typeof pino.transport>[0], { transport } = pino): Transport {
  return endWithTest(transport(options));
}

function endWithTest(transport: Transport): Transport {
  started.push(transport);
  return transport;
}

/** The transport behind a logger made with `{ transport }`, which ends with the test. Each copy of pino has a symbol of its own. */
export function transportOf(logger: object): Transport {
  const symbol = Object.getOwnPropertySymbols(logger).find(({ description }) => description === 'pino.stream');
  return endWithTest((logger as Readonly<Record<symbol, Transport>>)[symbol as symbol] as Transport);
}

/** Ends the transport, and waits until the worker has delivered. */
export async function end(transport: Transport): Promise<void> {
  transport.end();
  await once(transport, 'close');
}

/** Waits until all records logged before are delivered. */
export function flush(stream: { flush(callback: () => void): void }): Promise<void> {
  return new Promise((resolve) => stream.flush(resolve));
}

afterEach(() => {
  for (const transport of started.splice(0)) transport.end();
});
