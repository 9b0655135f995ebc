/** A log record, as an adapter hands it to {@link Shipper.accept}. */
export interface LogRecord {
  /** Time of the event, in epoch milliseconds. */
  readonly time: number;
  /** The framework's label of the level: `"info"`. */
  readonly level: string;
  /** True for warnings and worse: these records may use the reserved fifth of the buffer. */
  readonly urgent: boolean;
  /** The line as the framework rendered it. It may be a getter: the core reads it only if the destination does. */
  readonly text: string;
  /** The record's fields. It may be a getter, like `text`. */
  readonly fields: Readonly<Record<string, unknown>>;
  /**
   * The JSON that `fields` were parsed from, if there is one: it has each digit, and members that share a name. Read to redact or to
   * transform the record. It may be a getter, like `text`. @default none
   */
  readonly fieldsJson?: string | undefined;
}
