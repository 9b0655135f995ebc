// Logs one record and ends: the record is sent in the next turn of the event loop.
import { createCloudWatch } from '@logferry/cloudwatch';
import { createShipper } from '@logferry/core';

const closeTimeoutMs = Number(process.env.CLOSE_TIMEOUT_MS);
const shipper = createShipper(createCloudWatch({ logGroupName: 'shop' }), {
  maxBatchEvents: 1,
  requestTimeoutMs: 60_000,
  closeTimeoutMs,
});
shipper.accept({ time: Date.now(), level: 'info', urgent: false, text: 'x', fields: {} });
