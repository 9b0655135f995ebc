import { afterEach, expect, it, vi } from 'vitest';
import { loadPackage } from '../src/index.js';

afterEach(() => vi.unstubAllGlobals());

const wanted = (name: string, load: () => Promise<unknown> = () => Promise.reject(new Error('remembered'))) =>
  loadPackage({ name, load, parentUrl: import.meta.url });

it('requires a package whose import has failed', async () => {
  await expect(wanted('thread-stream')).resolves.toBeTypeOf('function');
});

it('imports a package that cannot be required', async () => {
  const parentUrl = new URL('module-url.js', import.meta.url).href;
  await expect(loadPackage({ name: 'no-such-package', load: async () => 1, parentUrl })).resolves.toBe(1);
});

it('says how to install a package that is missing', async () => {
  await expect(wanted('no-such-package')).rejects.toMatchObject({
    code: 'MISCONFIGURED',
    message: 'no-such-package is not installed; install it: npm install no-such-package',
  });
});

it('tells the error of the import where there is no other way, as in a bundle', async () => {
  const load = (): Promise<unknown> => Promise.reject(new Error('broken'));
  await expect(loadPackage({ name: 'x', title: 'the X', load, parentUrl: undefined })).rejects.toMatchObject({
    code: 'MISCONFIGURED',
    message: 'the X cannot be loaded: Error: broken',
  });
});

it('loads nothing after Jest has ended the test', async () => {
  vi.stubGlobal('jest', { isEnvironmentTornDown: () => true });
  const load = vi.fn();
  await expect(wanted('thread-stream', load)).rejects.toMatchObject({ code: 'UNAVAILABLE', ambiguous: false });
  expect(load).not.toHaveBeenCalled();
});
