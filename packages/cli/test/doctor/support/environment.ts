import { onTestFinished, vi } from 'vitest';

/** Isolates a test from this machine: from its variables, files, instance metadata and proxies. */
export function isolate(): void {
  const isForeign = /^AWS_(?!SDK_JS_)|^ALIBABA_CLOUD_|^(https?|no)_proxy$/i;
  for (const name of Object.keys(process.env)) if (isForeign.test(name)) vi.stubEnv(name, undefined);
  vi.stubEnv('AWS_CONFIG_FILE', '/dev/null');
  vi.stubEnv('AWS_SHARED_CREDENTIALS_FILE', '/dev/null');
  vi.stubEnv('AWS_EC2_METADATA_DISABLED', 'true');
  onTestFinished(() => void vi.unstubAllEnvs());
}
