// A shop on NestJS. nest-winston sends its log to CloudWatch Logs, or to Log Service with CLOUD=log-service.
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import { Controller, Get, Logger, Module, type OnApplicationShutdown, Param, ParseIntPipe } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import type { NextFunction, Request, Response } from 'express';
import { WinstonModule } from 'nest-winston';
import winston from 'winston';

const { PORT = 3000, CLOUD } = process.env;
const { SLS_ENDPOINT: endpoint = '', SLS_PROJECT: project = '', SLS_LOGSTORE: logstore = '' } = process.env;
const cloud =
  CLOUD === 'log-service'
    ? new LogServiceTransport({ endpoint, project, logstore, credentials: 'env' })
    : new CloudWatchTransport({ logGroupName: 'shop' });

@Controller()
class ShopController {
  readonly #logger = new Logger('Shop');

  @Get('health')
  health() {
    return { healthy: true, pendingRecords: cloud.stats().pending };
  }

  @Get('orders/:id')
  order(@Param('id', ParseIntPipe) order: number) {
    if (order > 1000) throw new Error(`there is no order ${order}`);
    this.#logger.log({ message: 'order read', order });
    return { order, state: 'shipped' };
  }
}

@Module({ controllers: [ShopController] })
class ShopModule implements OnApplicationShutdown {
  /** NestJS has closed the server, and signals the process again when this has resolved. */
  async onApplicationShutdown(signal?: string) {
    new Logger('Shop').log({ message: 'shop closes', signal });
    await cloud.flush({ timeoutMs: 5000 });
  }
}

const requests = new Logger('Request');

/** The probes of a load balancer make no records. */
function logRequest({ method, originalUrl: url }: Request, response: Response, next: NextFunction) {
  if (url !== '/health')
    response.once('finish', () =>
      requests.log({ message: 'request completed', method, url, status: response.statusCode }),
    );
  next();
}

const logger = WinstonModule.createLogger({ transports: [new winston.transports.Console(), cloud] });
const app = await NestFactory.create(ShopModule, { logger });
app.use(logRequest);
app.enableShutdownHooks();
await app.listen(PORT);
logger.log({ message: 'shop opens', url: await app.getUrl() });
