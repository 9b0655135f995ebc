// A shop that logs to both clouds until its standard input ends: `node shop.mjs ENDPOINT PROJECT LOGSTORE`. The variables of a Dev
// server are in its environment.
import '@logferry/emulators/report';
import { CloudWatchTransport } from '@logferry/winston/cloudwatch';
import { LogServiceTransport } from '@logferry/winston/log-service';
import winston from 'winston';

const [endpoint, project, logstore] = process.argv.slice(2);
const delivery = { maxDelayMs: 200, retry: { baseMs: 50, throttledBaseMs: 100 } };
const web = new CloudWatchTransport({ logGroupName: 'shop', logStreamName: 'web-1', ...delivery });
const worker = new CloudWatchTransport({
  logGroupName: 'shop',
  logStreamName: 'worker-1',
  compression: 'gzip',
  ...delivery,
});
const target = { endpoint, project, logstore, topic: 'checkout', credentials: 'env' };
const payments = new LogServiceTransport({ ...target, ...delivery });
const loggers = [web, worker, payments].map((transport) =>
  winston.createLogger({ level: 'debug', format: winston.format.json(), transports: [transport] }),
);

const LINES = [
  (n) => ['info', 'cart updated', { cartId: `c-${n}`, items: (n % 4) + 1 }],
  (n) => ['info', 'order paid', { orderId: `A-${n}`, amount: { value: 19.9 + (n % 50), currency: 'EUR' } }],
  (n) => ['debug', 'cache hit', { key: `product:${n % 90}`, ageMs: (n * 37) % 900 }],
  (n) => ['info', 'GET /products', { status: 200, durationMs: 4 + ((n * 13) % 40), path: '/products', page: n % 9 }],
  (n) => ['warn', 'slow query', { table: 'orders', durationMs: 850 + ((n * 31) % 900) }],
  (n) => ['info', 'mail sent', { to: `customer-${n % 300}@example.com`, template: 'receipt' }],
  (n) => [
    'error',
    'payment declined',
    {
      orderId: `A-${n}`,
      customer: { id: n % 300, country: 'DE', address: { city: 'Hamburg', zip: '20095' } },
      reasons: ['insufficient_funds', 'limit'],
      error: { name: 'PaymentError', code: 'CARD_DECLINED', retryable: false },
    },
  ],
  (n) => [
    'info',
    'checkout metrics',
    {
      _aws: {
        Timestamp: Date.now(),
        CloudWatchMetrics: [
          {
            Namespace: 'Shop',
            Dimensions: [['service']],
            Metrics: [
              { Name: 'CheckoutMs', Unit: 'Milliseconds' },
              { Name: 'Basket', Unit: 'Count' },
            ],
          },
        ],
      },
      service: 'web',
      CheckoutMs: 120 + (n % 60),
      Basket: 1 + (n % 5),
    },
  ],
];

let n = 1000;
const timer = setInterval(() => {
  for (let burst = 0; burst < 1 + (Math.floor(n / 40) % 3); burst++) {
    const [level, message, fields] = LINES[(n * 5 + Math.floor(n / 7)) % LINES.length](n);
    loggers[n % loggers.length].log(level, message, fields);
    n++;
  }
}, 40);
process.stdin.resume().once('end', () => clearInterval(timer));
