import { once } from 'node:events';
import { cloudWatchStream } from '@logferry/bunyan/cloudwatch';
import { logServiceStream } from '@logferry/bunyan/log-service';
import type { CloudWatchOptions } from '@logferry/cloudwatch';
import type { DeliveryOptions, DeliveryStats } from '@logferry/core';
import type { LogServiceOptions } from '@logferry/log-service';
import { stats } from '@logferry/pino';
import cloudWatchTarget from '@logferry/pino/cloudwatch';
import logServiceTarget from '@logferry/pino/log-service';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import bunyan from 'bunyan';
import pino from 'pino';
import winston from 'winston';
import type { Cloud } from './clouds.js';

/** Delivery options, and those of the cloud. */
type Options = DeliveryOptions & { readonly level?: 'info' | 'warn' };
type Both = CloudWatchOptions & LogServiceOptions & Options;

/** Methods that the loggers of all frameworks have. They take any arguments. */
export interface FrameworkLogger {
  info(...args: readonly unknown[]): unknown;
  child(bindings: object, options?: object): FrameworkLogger;
}

/** A logger of any framework with our transport. */
export interface RunningHost {
  /** The framework's own. */
  readonly logger: FrameworkLogger;
  log(level: 'debug' | 'info' | 'warn', text: string, fields?: Record<string, unknown>): void;
  /** Waits until all logged records are delivered, by the API of this host. */
  flush(): Promise<void>;
  stats(): Promise<DeliveryStats>;
  /** The ending that the host's own documentation recommends. */
  end(): Promise<void>;
}

export interface Host {
  readonly name: string;
  /** The transport ships from a worker thread: functions cannot be options. */
  readonly threaded: boolean;
  /** pino runs the transport in its worker. Errors lose their class on the way, and the counters end with the worker. */
  readonly inPinoWorker: boolean;
  /** The name of the text in a record of the framework. */
  readonly textField: string;
  /** Starts a logger with the transport for this cloud. Wrong options reject. */
  start(cloud: Cloud['name'], options: Options): Promise<RunningHost>;
}

const winstonHost: Host = {
  name: 'winston',
  threaded: false,
  inPinoWorker: false,
  textField: 'message',
  async start(cloud, options) {
    const Transport = { cloudwatch: CloudWatchTransport, 'log-service': LogServiceTransport }[cloud];
    const transport = new Transport(options as Both);
    const logger = winston.createLogger({ level: 'debug', transports: [transport] });
    return {
      logger: logger as FrameworkLogger,
      log: (level, text, fields) => void logger.log(level, text, fields),
      flush: async () => void (await transport.flush()),
      stats: async () => transport.stats(),
      async end() {
        logger.end();
        await once(logger, 'finish');
      },
    };
  },
};

const bunyanHost: Host = {
  name: 'bunyan',
  threaded: false,
  inPinoWorker: false,
  textField: 'msg',
  async start(cloud, options) {
    const createStream = { cloudwatch: cloudWatchStream, 'log-service': logServiceStream }[cloud];
    const entry = createStream({ level: 'debug', ...options } as Both);
    const logger = bunyan.createLogger({ name: 'contract', streams: [entry] });
    return {
      logger: logger as FrameworkLogger,
      log: (level, text, fields = {}) => logger[level](fields, '%s', text),
      flush: async () => void (await entry.stream.flush()),
      stats: async () => entry.stream.stats(),
      end: async () => void (await entry.stream.close()),
    };
  },
};

const pinoHost: Host = {
  name: 'pino in process',
  threaded: false,
  inPinoWorker: false,
  textField: 'msg',
  async start(cloud, options) {
    const createStream = { cloudwatch: cloudWatchTarget, 'log-service': logServiceTarget }[cloud];
    const stream = await createStream(options as Both);
    const logger = pino({ level: 'debug' }, stream);
    return {
      logger: logger as FrameworkLogger,
      log: (level, text, fields = {}) => logger[level](fields, text),
      flush: async () => void (await stream.flush()),
      stats: async () => stream.stats(),
      async end() {
        stream.end();
        await once(stream, 'close');
      },
    };
  },
};

/** pino ends the worker of a transport that is garbage collected, even while a flush waits for its records. */
const heldTransports = new Set<object>();

const pinoWorkerHost: Host = {
  ...pinoHost,
  name: 'pino in a worker',
  threaded: true,
  inPinoWorker: true,
  async start(cloud, options) {
    const transport = pino.transport({ target: `@logferry/pino/${cloud}`, options });
    heldTransports.add(transport);
    await Promise.race([once(transport, 'ready'), once(transport, 'error').then(([error]) => Promise.reject(error))]);
    const logger = pino({ level: 'debug' }, transport);
    return {
      logger: logger as FrameworkLogger,
      log: (level, text, fields = {}) => logger[level](fields, text),
      flush: () => new Promise((resolve) => logger.flush(() => resolve())),
      stats: () => stats(transport),
      async end() {
        transport.end();
        await once(transport, 'close');
        heldTransports.delete(transport);
      },
    };
  },
};

/** The same host with `thread: true`. */
function inThread(host: Host): Host {
  return {
    ...host,
    name: `${host.name} in a thread`,
    threaded: true,
    start: (cloud, options) => host.start(cloud, { ...options, thread: true }),
  };
}

export const hosts: readonly Host[] = [
  winstonHost,
  inThread(winstonHost),
  pinoHost,
  pinoWorkerHost,
  bunyanHost,
  inThread(bunyanHost),
];
