import assert from 'node:assert/strict';
import { startCloudWatch } from '@logferry/emulators';
import { openShop } from './shop.js';

let server;
let shop;
beforeEach(async () => {
  server = await startCloudWatch();
  shop = openShop(server.target);
});
afterEach(async () => {
  await shop.close();
  await server.close();
});
const ordersIn = ({ events }) => events().map(({ message }) => JSON.parse(message).order);

it('an order is logged', async () => {
  shop.order(7);
  await shop.flush();
  const [{ message }] = server.events();
  assert.deepEqual(JSON.parse(message), { level: 'info', message: 'order placed', order: 7 });
});

it('a fault of the service loses no record', async () => {
  server.faults({ next: ['throttle', 'reset'] });
  shop.order(7);
  await shop.flush();
  assert.deepEqual(ordersIn(server), [7]);
});

it('two shops of a process log to a service of their own', async () => {
  const otherServer = await startCloudWatch({ region: 'eu-west-1' });
  const otherShop = openShop(otherServer.target);
  shop.order(1);
  otherShop.order(2);
  await Promise.all([shop.flush(), otherShop.close()]);
  assert.deepEqual([server, otherServer].map(ordersIn), [[1], [2]]);
  await otherServer.close();
});
