import { createShipper, type DeliveryError, type DeliveryReport, systemClock } from '@logferry/core';
import type { Check } from '../check.js';
import { failed, ok, SET_CLOCK, skipped, warning } from '../finding.js';
import { markedRecord, routeOfRecord } from '../marked-record.js';

/** Ships a record in the way of a transport: what it proves holds for one. */
export const write: Check = {
  name: 'write',
  needs: ['access', 'target'],
  async run({ cloud, dry, limits, endMs }) {
    if (dry) return skipped('not proven: a dry run writes nothing');
    const destination = cloud.createDestination();
    const timeoutMs = Math.max(1, Math.min(limits.writeMs, endMs - systemClock.monotonic()));
    const errors: DeliveryError[] = [];
    const shipper = createShipper(destination, {
      dropNotice: false,
      retry: RETRY,
      requestTimeoutMs: timeoutMs,
      onError: (error) => void errors.push(error),
      onDrop: () => {},
    });
    shipper.accept(markedRecord());
    const report = await shipper.close({ timeoutMs });
    const error = errors.findLast(({ code }) => code !== 'RECOVERED');
    if (report.rejected > 0)
      return failed(`the service refused the time of the record${error ? `: ${error.message}` : ''}`, SET_CLOCK);
    if (report.delivered === 0)
      return error
        ? failed(error.message, cloud.remedyOf(error))
        : failed(`the record was dropped: ${reasonOf(report)}`, 'check the options that name its place, and its size');
    const { target = 'the service' } = destination.describe?.(routeOfRecord(destination)) ?? {};
    const text = `a record with "logferry":"doctor" arrived in ${target}`;
    return error ? warning(`${text}, but ${error.message}`, cloud.remedyOf(error)) : ok(text);
  },
};

/** Several attempts within the time of the check. */
const RETRY = { baseMs: 200, throttledBaseMs: 500, capMs: 2000 };

function reasonOf({ dropped }: DeliveryReport): string {
  const reasons = Object.entries(dropped).flatMap(([reason, count]) => (count > 0 ? [reason] : []));
  return reasons.join(', ');
}
