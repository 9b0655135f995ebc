// The functions that run in the worker thread.

/** Leaves health checks out, and adds the version of the service to the rest. */
export function transform(record) {
  if (record.fields.path === '/health') return null;
  return { ...record, fields: { ...record.fields, version: '1.4.0' } };
}

/** Writes past the logger, which would ship it. */
export function onDrop({ reason, records }) {
  process._rawDebug(`lost ${records} records: ${reason}`);
}
