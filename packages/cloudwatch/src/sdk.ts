import { DeliveryError } from '@logferry/core';

export type Sdk = typeof import('@aws-sdk/client-cloudwatch-logs');

/**
 * Resolves if the AWS SDK is installed. Otherwise rejects with the `DeliveryError` that the first batch would meet: code
 * `MISCONFIGURED`, and a message with the command that installs it.
 */
export async function assertSdkInstalled(): Promise<void> {
  await loadSdk();
}

export async function loadSdk(): Promise<Sdk> {
  try {
    return await import('@aws-sdk/client-cloudwatch-logs');
  } catch (cause) {
    const message = isNotInstalled(cause)
      ? 'the AWS SDK is not installed; install it: npm install @aws-sdk/client-cloudwatch-logs'
      : `the AWS SDK cannot be loaded: ${cause}`;
    throw new DeliveryError('MISCONFIGURED', message, { cause });
  }
}

/** Whether Node.js does not find the SDK itself, rather than a package that the SDK needs. */
function isNotInstalled(error: unknown): boolean {
  const { code, message } = error as { readonly code?: unknown; readonly message?: unknown };
  return (
    /^(ERR_)?MODULE_NOT_FOUND$/.test(String(code)) && String(message).includes("'@aws-sdk/client-cloudwatch-logs'")
  );
}
