/** Leaves out what is said of health, and adds a field to the rest. */
export function transform(record) {
  const { message, msg = message } = record.fields;
  return msg === 'health' ? null : { ...record, fields: { ...record.fields, tenant: `tenant of ${msg}` } };
}
