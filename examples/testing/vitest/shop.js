import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import winston from 'winston';

/** A shop that logs. `target` says where to; without it, the environment does. */
export function openShop(target) {
  const cloud = new CloudWatchTransport({ logGroupName: 'shop', ...target });
  const logger = winston.createLogger({ transports: [cloud] });
  return {
    order: (id) => logger.info('order placed', { order: id }),
    flush: () => cloud.flush(),
    close: () => cloud.close(),
  };
}
