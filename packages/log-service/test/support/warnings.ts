import { onTestFinished, vi } from 'vitest';

/** Collects Logferry's process warnings from now to the end of the test. */
export function collectWarnings(): readonly string[] {
  const warnings: string[] = [];
  const emit = vi.spyOn(process, 'emitWarning').mockImplementation((warning, options) => {
    if (typeof options === 'object' && options.type === 'LogferryWarning') warnings.push(String(warning));
  });
  onTestFinished(() => emit.mockRestore());
  return warnings;
}
