import { createShipper, type DeliveryError, type DeliveryReport } from '@logferry/core';
import { type Check, failed, ok, skipped, warning } from '../finding.js';
import { markedRecord } from '../marked-record.js';

/** Ships a record in the way of a transport: what it proves holds for one. */
export const write: Check = {
  name: 'write',
  needs: ['access', 'target'],
  async run({ cloud, dry }) {
    if (dry) return skipped('not proven: a dry run writes nothing');
    const destination = cloud.createDestination();
    const errors: DeliveryError[] = [];
    const shipper = createShipper(destination, {
      dropNotice: false,
      retry: RETRY,
      requestTimeoutMs: WRITE_TIMEOUT_MS,
      onError: (error) => void errors.push(error),
      onDrop: () => {},
    });
    shipper.accept(markedRecord());
    const report = await shipper.close({ timeoutMs: WRITE_TIMEOUT_MS });
    const error = errors.findLast(({ code }) => code !== 'RECOVERED');
    if (report.delivered === 0)
      return error
        ? failed(error.message, cloud.remedyOf(error))
        : failed(
            `the record was lost: ${lossOf(report)}`,
            'set the clock of this machine, and check templates and functions',
          );
    const { target = 'the service' } = destination.describe?.() ?? {};
    const text = `a record with "logferry":"doctor" arrived in ${target}`;
    return error ? warning(`${text}, but ${error.message}`, cloud.remedyOf(error)) : ok(text);
  },
};

const WRITE_TIMEOUT_MS = 8000;

/** Several attempts within the time of the check. */
const RETRY = { baseMs: 200, throttledBaseMs: 500, capMs: 2000 };

function lossOf({ rejected, dropped }: DeliveryReport): string {
  if (rejected > 0) return 'the service refused its time';
  return Object.entries(dropped)
    .flatMap(([reason, count]) => (count > 0 ? [reason] : []))
    .join(', ');
}
