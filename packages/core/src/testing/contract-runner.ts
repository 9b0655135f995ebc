/** The functions of a test runner that the contract suites use. */
export interface ContractRunner {
  /** Registers a test, which fails if the promise rejects: `test` of vitest, node:test and jest, `it` of mocha. */
  readonly test: (name: string, run: () => Promise<void>) => unknown;
  /** `node:assert/strict`, `assert` of vitest or chai, or anything else with these functions. */
  readonly assert: ContractAssert;
}

/** The assertions that the contract suites use. Each throws if it does not hold. */
export interface ContractAssert {
  /** Holds if `value` is truthy. */
  ok(value: unknown, message?: string): void;
  /** Holds if the values are the same, as `Object.is` compares. */
  strictEqual(actual: unknown, expected: unknown, message?: string): void;
  /** Holds if the values have equal members, at every depth. */
  deepStrictEqual(actual: unknown, expected: unknown, message?: string): void;
}

/** Long enough for a slow machine. */
const PATIENCE_MS = 20_000;

const POLL_MS = 5;

/** Waits until the condition is true. Rejects after 20 s. `what` completes the message "timed out: waited until …". */
export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > deadlineMs) throw new Error(`timed out: waited until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

/** Waits for a promise. Rejects with `message` after `limitMs`. */
export async function within<T>(limitMs: number, message: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const overtime = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(message)), limitMs);
  });
  try {
    return await Promise.race([promise, overtime]);
  } finally {
    clearTimeout(timer);
  }
}
