import { once } from 'node:events';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { CloudWatchOptions } from '@logferry/cloudwatch';
import {
  type CloudWatchEmulator,
  type LogServiceEmulator,
  startCloudWatch,
  startLogService,
} from '@logferry/emulators';
import type { LogServiceOptions } from '@logferry/log-service';
import { onTestFinished } from 'vitest';
import type { DoctorTarget } from '../../../src/doctor/doctor.js';

/** Targets at a server. */
interface Started<Emulator, Options> {
  readonly emulator: Emulator;
  target(others?: Partial<Options>): DoctorTarget;
}

/** A CloudWatch Logs for one test. Its targets have keys, and the group "shop" with the stream "web". */
export async function startAws(
  settings: Parameters<typeof startCloudWatch>[0] = {},
): Promise<Started<CloudWatchEmulator, CloudWatchOptions>> {
  const emulator = await startCloudWatch(settings);
  onTestFinished(() => emulator.close());
  const { AWS_ACCESS_KEY_ID: accessKeyId, AWS_SECRET_ACCESS_KEY: secretAccessKey } = emulator.env;
  const place = { logGroupName: 'shop', logStreamName: 'web' };
  const access = { region: 'us-east-1', endpoint: emulator.url, credentials: { accessKeyId, secretAccessKey } };
  return { emulator, target: (others) => ({ cloud: 'cloudwatch', options: { ...place, ...access, ...others } }) };
}

/** A Log Service for one test, with the logstore "web". */
export async function startAlibaba(
  settings: Parameters<typeof startLogService>[0] = {},
): Promise<
  Started<LogServiceEmulator, LogServiceOptions> & { readonly key: NonNullable<LogServiceOptions['credentials']> }
> {
  const emulator = await startLogService({ project: 'shop', logstores: ['web'], ...settings });
  onTestFinished(() => emulator.close());
  const { ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId, ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret } = emulator.env;
  return {
    emulator,
    key: { accessKeyId, accessKeySecret },
    target: (others) => ({ cloud: 'log-service', options: { ...emulator.target, ...others } }),
  };
}

/** Listens on a free port of this machine until the test ends. Returns the port. */
export async function listen(server: Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}
