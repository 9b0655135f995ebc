// Logs one record and ends: the record is sent in the next turn of the event loop.
import { createShipper } from '@logferry/core';
import { createLogService } from '@logferry/log-service';

const closeTimeoutMs = Number(process.env.CLOSE_TIMEOUT_MS);
const shipper = createShipper(createLogService(JSON.parse(process.env.TARGET)), {
  maxBatchEvents: 1,
  requestTimeoutMs: 60_000,
  closeTimeoutMs,
});
shipper.accept({ time: Date.now(), level: 'info', urgent: false, text: 'x', fields: { message: 'x' } });
