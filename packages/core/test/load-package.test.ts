import { afterEach, describe, expect, it, vi } from 'vitest';
import { loadPackage } from '../src/index.js';

afterEach(() => vi.unstubAllGlobals());

const own = new URL('module-url.js', import.meta.url).href;
const broken = (): Promise<unknown> => Promise.reject(new Error('broken'));
const missing = (name: string) => (): Promise<unknown> =>
  Promise.reject(Object.assign(new Error(`Cannot find package '${name}'`), { code: 'ERR_MODULE_NOT_FOUND' }));
const wanted = (name: string, load: () => Promise<unknown>, parentUrl: string | undefined = own) =>
  loadPackage({ name, load, parentUrl });

it('requires a package whose import has failed', async () => {
  await expect(wanted('thread-stream', broken)).resolves.toBeTypeOf('function');
});

it('imports a package that cannot be required', async () => {
  await expect(wanted('no-such-package', async () => 1)).resolves.toBe(1);
});

it('says how to install a package that is missing', async () => {
  await expect(wanted('no-such-package', broken)).rejects.toMatchObject({
    code: 'MISCONFIGURED',
    message: 'no-such-package is not installed; install it: npm install no-such-package',
  });
});

it('loads nothing after Jest has ended the test', async () => {
  vi.stubGlobal('jest', { isEnvironmentTornDown: () => true });
  const load = vi.fn();
  await expect(wanted('thread-stream', load)).rejects.toMatchObject({ code: 'UNAVAILABLE', ambiguous: false });
  expect(load).not.toHaveBeenCalled();
});

describe.each([
  ['that knows its place', import.meta.url],
  ['that does not know its place', undefined],
])('in a bundle %s', (_, parentUrl) => {
  const inBundle = (name: string, load: () => Promise<unknown>) =>
    loadPackage({ name, title: 'the X', load, parentUrl });

  it('the copy in the bundle is the first choice', async () => {
    await expect(inBundle('thread-stream', async () => 'the copy')).resolves.toBe('the copy');
  });

  it('a package beside the bundle is found', async () => {
    await expect(inBundle('thread-stream', missing('thread-stream'))).resolves.toBeTypeOf('function');
  });

  it('a package that is nowhere is told, with the way to install it', async () => {
    await expect(inBundle('no-such-package', missing('no-such-package'))).rejects.toMatchObject({
      code: 'MISCONFIGURED',
      message: 'the X is not installed; install it: npm install no-such-package',
    });
  });

  it('the error of a broken copy is told', async () => {
    await expect(inBundle('no-such-package', broken)).rejects.toMatchObject({
      code: 'MISCONFIGURED',
      message: 'the X cannot be loaded: Error: broken',
    });
  });
});
