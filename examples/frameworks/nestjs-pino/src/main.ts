// A shop on NestJS. nestjs-pino sends its log to CloudWatch Logs, or to Log Service with CLOUD=log-service.
import { flush } from '@logferry/pino';
import { Controller, Get, Module, type OnApplicationShutdown, Param, ParseIntPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { InjectPinoLogger, Logger, LoggerModule, type PinoLogger } from 'nestjs-pino';
import pino, { type TransportTargetOptions } from 'pino';
import type { Options } from 'pino-http';

const { PORT = 3000, CLOUD } = process.env;
const { SLS_ENDPOINT: endpoint, SLS_PROJECT: project, SLS_LOGSTORE: logstore } = process.env;
const cloud: TransportTargetOptions =
  CLOUD === 'log-service'
    ? { target: '@logferry/pino/log-service', options: { endpoint, project, logstore, credentials: 'env' } }
    : { target: '@logferry/pino/cloudwatch', options: { logGroupName: 'shop' } };
const transport = pino.transport({ targets: [{ target: 'pino/file', options: { destination: 1 } }, cloud] });

const requestLog: Options = {
  // The probes of a load balancer make no records.
  autoLogging: { ignore: ({ url }) => url === '/health' },
  redact: ['req.headers.authorization', 'req.headers.cookie'],
};

@Controller()
class ShopController {
  constructor(@InjectPinoLogger('Shop') private readonly logger: PinoLogger) {}

  @Get('health')
  health() {
    return { healthy: true };
  }

  @Get('orders/:id')
  order(@Param('id', ParseIntPipe) order: number) {
    if (order > 1000) throw new Error(`there is no order ${order}`);
    this.logger.info({ order }, 'order read');
    return { order, state: 'shipped' };
  }
}

@Module({ imports: [LoggerModule.forRoot({ pinoHttp: [requestLog, transport] })], controllers: [ShopController] })
class ShopModule implements OnApplicationShutdown {
  constructor(@InjectPinoLogger('Shop') private readonly logger: PinoLogger) {}

  /** NestJS has closed the server, and signals the process again when this has resolved. */
  async onApplicationShutdown(signal?: string) {
    this.logger.info({ signal }, 'shop closes');
    await flush(transport, { timeoutMs: 5000 });
  }
}

const app = await NestFactory.create(ShopModule, { bufferLogs: true });
const logger = app.get(Logger);
app.useLogger(logger);
app.enableShutdownHooks();
await app.listen(PORT);
logger.log(`shop opens at ${await app.getUrl()}`);
