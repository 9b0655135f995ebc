/** For what an operator should know although the events were delivered. */
export function warn(message: string): void {
  process.emitWarning(message, { type: 'LogferryWarning' });
}
