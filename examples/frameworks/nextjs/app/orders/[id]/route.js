import { logger } from '../../../lib/logger.js';

export async function GET(_request, { params }) {
  const order = Number((await params).id);
  if (order > 1000) throw new Error(`there is no order ${order}`);
  logger.info('order read', { order });
  return Response.json({ order, state: 'shipped' });
}
