import { once } from 'node:events';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import type { CloudWatchOptions } from '@logferry/cloudwatch';
import type { DeliveryOptions, DeliveryStats } from '@logferry/core';
import { stats } from '@logferry/pino';
import cloudwatch, { type CloudWatchStreamOptions } from '@logferry/pino/cloudwatch';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import bunyan from 'bunyan';
import pino from 'pino';
import winston from 'winston';

type Options = CloudWatchOptions & DeliveryOptions & { readonly level?: 'info' | 'warn' };
type Fields = Record<string, unknown>;

/** A logger with our transport, as every framework has one. */
export interface RunningHost {
  log(level: 'debug' | 'info' | 'warn', text: string, fields?: Fields): void;
  /** Waits until what was logged is delivered, in the way of this host. */
  flush(): Promise<void>;
  stats(): Promise<DeliveryStats>;
  /** The ending that the host's own documentation recommends. */
  end(): Promise<void>;
}

export interface Host {
  readonly name: string;
  /** The transport runs in a worker thread: functions cannot be options, and the counters end with the worker. */
  readonly threaded: boolean;
  /** A failure of the options rejects. */
  start(options: Options): Promise<RunningHost>;
  /** The text and fields of a stored message. */
  parse(message: string): { text: string } & Fields;
}

const winstonHost: Host = {
  name: 'winston',
  threaded: false,
  async start(options) {
    const transport = new CloudWatchTransport(options);
    const logger = winston.createLogger({ level: 'debug', transports: [transport] });
    return {
      log: (level, text, fields) => void logger.log(level, text, fields),
      flush: async () => void (await transport.flush()),
      stats: async () => transport.stats(),
      async end() {
        logger.end();
        await once(logger, 'finish');
      },
    };
  },
  parse: (message) => ({ ...JSON.parse(message), text: JSON.parse(message).message }),
};

const bunyanHost: Host = {
  name: 'bunyan',
  threaded: false,
  async start(options) {
    const entry = cloudWatchStream({ level: 'debug', ...options });
    const logger = bunyan.createLogger({ name: 'contract', streams: [entry] });
    return {
      log: (level, text, fields = {}) => logger[level](fields, '%s', text),
      flush: async () => void (await entry.stream.flush()),
      stats: async () => entry.stream.stats(),
      end: async () => void (await entry.stream.close()),
    };
  },
  parse: (message) => ({ ...JSON.parse(message), text: JSON.parse(message).msg }),
};

const pinoHost: Host = {
  name: 'pino in process',
  threaded: false,
  async start(options) {
    const stream = await cloudwatch(options as CloudWatchStreamOptions);
    const logger = pino({ level: 'debug' }, stream);
    return {
      log: (level, text, fields = {}) => logger[level](fields, text),
      flush: async () => void (await stream.flush()),
      stats: async () => stream.stats(),
      async end() {
        stream.end();
        await once(stream, 'close');
      },
    };
  },
  parse: (message) => ({ ...JSON.parse(message), text: JSON.parse(message).msg }),
};

const pinoWorkerHost: Host = {
  ...pinoHost,
  name: 'pino in a worker',
  threaded: true,
  async start(options) {
    const transport = pino.transport({ target: '@logferry/pino/cloudwatch', options });
    await Promise.race([once(transport, 'ready'), once(transport, 'error').then(([error]) => Promise.reject(error))]);
    const logger = pino({ level: 'debug' }, transport);
    return {
      log: (level, text, fields = {}) => logger[level](fields, text),
      flush: () => new Promise((resolve) => logger.flush(() => resolve())),
      stats: () => stats(transport),
      async end() {
        transport.end();
        await once(transport, 'close');
      },
    };
  },
};

export const hosts: readonly Host[] = [winstonHost, pinoHost, pinoWorkerHost, bunyanHost];
