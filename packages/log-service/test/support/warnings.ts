import { onTestFinished, vi } from 'vitest';

/** The warnings that we make of now on, in this test. */
export function collectWarnings(): readonly string[] {
  const warnings: string[] = [];
  const emit = vi.spyOn(process, 'emitWarning').mockImplementation((warning, options) => {
    if (typeof options === 'object' && options.type === 'LogferryWarning') warnings.push(String(warning));
  });
  onTestFinished(() => emit.mockRestore());
  return warnings;
}
