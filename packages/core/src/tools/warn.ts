/** Emits a process warning of the type `LogferryWarning`, for a fault that lost no events, so that no error reports it. */
export function warn(message: string): void {
  process.emitWarning(message, { type: 'LogferryWarning' });
}
