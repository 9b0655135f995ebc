/** A wrong command line, environment variable or configuration file. Its message names the place; the command ends with exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}
