import { execFile, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it, onTestFinished } from 'vitest';
import { full } from '../../../forms.js';
import { startEmulator } from './support/servers.js';

const root = join(import.meta.dirname, '..');
const resolve = createRequire(import.meta.url).resolve;

/** An application with this package and its dependencies, but without its optional peer, the AWS SDK. */
function installWithoutSdk(): string {
  const app = mkdtempSync(join(tmpdir(), 'logferry-'));
  onTestFinished(() => rmSync(app, { recursive: true, force: true }));
  const packages = {
    '@logferry/cloudwatch': root,
    '@logferry/core': dirname(resolve('@logferry/core/package.json')),
    '@pinojs/redact': dirname(resolve('@pinojs/redact')),
  };
  for (const [name, source] of Object.entries(packages)) {
    const target = join(app, 'node_modules', name);
    mkdirSync(target, { recursive: true });
    const filter = (path: string): boolean => !/[/\\](node_modules|src|test)$/.test(path.slice(source.length));
    cpSync(source, target, { recursive: true, filter });
  }
  return app;
}

/** Runs a program of the application, as ES module or CommonJS by the file's extension. Returns its output. */
function run(app: string, file: string, program: string): string {
  const load = file.endsWith('.mjs') ? 'await import' : 'require';
  const names = '{ assertSdkInstalled, createCloudWatch }';
  writeFileSync(join(app, file), `const ${names} = ${load}('@logferry/cloudwatch');\n${program}`);
  const { stdout, stderr } = spawnSync(process.execPath, [file], { cwd: app, encoding: 'utf8' });
  expect(stderr).toBe('');
  return stdout;
}

const kinds = full ? ['main.mjs', 'main.cjs'] : ['main.mjs'];

const makeBatch = `
  const destination = createCloudWatch({ logGroupName: 'shop', logStreamName: 'web', ...globalThis.others });
  const event = destination.encode({ time: 1, level: 'info', urgent: false, text: 'x', fields: {} });
  const batch = { route: event.route, events: [event], bytes: event.bytes };
  const send = () => destination.send(batch, AbortSignal.timeout(1000));
  const report = ({ code, message }) => console.log(code, message);
`;

const notInstalled =
  'MISCONFIGURED the AWS SDK is not installed; install it: npm install @aws-sdk/client-cloudwatch-logs\n';

it.each(kinds)('works without the SDK up to the first batch, whose error says how to install it (%s)', (file) => {
  const program = `${makeBatch} send().catch(report).then(assertSdkInstalled).catch(report);`;
  expect(run(installWithoutSdk(), file, program)).toBe(notInstalled + notInstalled);
});

it.each(kinds)('says how to install the package that a profile or a role needs (%s)', (file) => {
  const app = installWithoutSdk();
  const sdk = join(app, 'node_modules', '@aws-sdk', 'client-cloudwatch-logs');
  mkdirSync(sdk, { recursive: true });
  writeFileSync(join(sdk, 'package.json'), '{ "main": "index.js" }');
  writeFileSync(join(sdk, 'index.js'), '');
  const assumeRole = { roleArn: 'arn:aws:iam::123456789012:role/logs' };
  const missing =
    'MISCONFIGURED the package of the AWS SDK for profiles and roles is not installed; install it: npm install @aws-sdk/credential-providers\n';
  for (const options of [{ profile: 'shop' }, { assumeRole }]) {
    const program = `
      globalThis.others = ${JSON.stringify(options)};
      ${makeBatch}
      const assert = () => assertSdkInstalled(globalThis.others);
      send().catch(report).then(assert).catch(report).then(() => assertSdkInstalled());
    `;
    expect(run(app, file, program)).toBe(missing.repeat(2));
  }
});

it.each(kinds)('finds the SDK when it is installed later (%s)', (file) => {
  const stub = `
    const config = { region() {}, credentials: () => ({ accessKeyId: 'AKIATEST', secretAccessKey: 'secret' }) };
    exports.CloudWatchLogsClient = class { config = config; send = async () => ({ $metadata: {} }) };
    exports.PutLogEventsCommand = class { middlewareStack = { add() {} } };
  `;
  const program = `
    ${makeBatch}
    const install = () => {
      const { mkdirSync, writeFileSync } = process.getBuiltinModule('node:fs');
      mkdirSync('node_modules/@aws-sdk/client-cloudwatch-logs', { recursive: true });
      writeFileSync('node_modules/@aws-sdk/client-cloudwatch-logs/index.js', ${JSON.stringify(stub)});
      writeFileSync('node_modules/@aws-sdk/client-cloudwatch-logs/package.json', '{ "main": "index.js" }');
    };
    send().catch(report).then(install).then(send).then(() => console.log('sent'));
  `;
  expect(run(installWithoutSdk(), file, program)).toBe(`${notInstalled}sent\n`);
});

it('loads the SDK while the first record waits for its batch, and not at construction', () => {
  const program = `
    import { createRequire } from 'node:module';
    import { setImmediate as nextTurn } from 'node:timers/promises';
    import { createCloudWatch } from '@logferry/cloudwatch';
    import { createShipper } from '@logferry/core';
    const { cache } = createRequire(import.meta.url);
    const isLoaded = () => Object.keys(cache).some((file) => file.includes('client-cloudwatch-logs'));
    const shipper = createShipper(createCloudWatch({ logGroupName: 'shop' }), { maxDelayMs: 60_000 });
    await nextTurn();
    const seen = [isLoaded()];
    shipper.accept({ time: Date.now(), level: 'info', urgent: false, text: 'x', fields: {} });
    for (let turns = 0; turns < 1000 && !isLoaded(); turns++) await nextTurn();
    console.log([...seen, isLoaded(), shipper.stats().requests]);
    process.exit();
  `;
  const node = spawnSync(process.execPath, ['--input-type=module', '--eval', program], { cwd: root, encoding: 'utf8' });
  expect(node.stdout).toBe('[ false, true, 0 ]\n');
});

it.each(kinds)('reports a missing dependency of the SDK as such (%s)', (file) => {
  const app = installWithoutSdk();
  const sdk = join(app, 'node_modules', '@aws-sdk', 'client-cloudwatch-logs');
  mkdirSync(sdk, { recursive: true });
  writeFileSync(join(sdk, 'package.json'), '{ "main": "index.js" }');
  writeFileSync(join(sdk, 'index.js'), `require('@smithy/core');`);
  const printed = run(app, file, 'assertSdkInstalled().catch(({ message }) => console.log(message));');
  expect(printed).toMatch(/^the AWS SDK cannot be loaded: Error: Cannot find module '@smithy\/core'/);
});

it('finds a dependency of the SDK that is installed later', () => {
  const app = installWithoutSdk();
  const sdk = join(app, 'node_modules', '@aws-sdk', 'client-cloudwatch-logs');
  mkdirSync(sdk, { recursive: true });
  writeFileSync(join(sdk, 'package.json'), '{ "main": "index.js" }');
  writeFileSync(join(sdk, 'index.js'), `require('late');`);
  const program = `
    const { mkdirSync, writeFileSync } = process.getBuiltinModule('node:fs');
    const install = () => {
      mkdirSync('node_modules/late');
      writeFileSync('node_modules/late/index.js', '');
    };
    assertSdkInstalled().catch(({ code }) => console.log(code)).then(install).then(assertSdkInstalled).then(() => console.log('loaded'));
  `;
  expect(run(app, 'main.mjs', program)).toBe('MISCONFIGURED\nloaded\n');
});

it('finds an SDK that is installed later, or says that a restart is needed where Node.js remembers that it was missing', () => {
  const app = installWithoutSdk();
  const sdk = join(app, 'node_modules', '@aws-sdk', 'client-cloudwatch-logs');
  mkdirSync(sdk, { recursive: true });
  const program = `
    const { writeFileSync } = process.getBuiltinModule('node:fs');
    const folder = 'node_modules/@aws-sdk/client-cloudwatch-logs';
    const install = () => {
      writeFileSync(folder + '/main.js', '');
      writeFileSync(folder + '/package.json', '{ "main": "main.js" }');
    };
    const report = ({ message }) => console.log(message);
    assertSdkInstalled().catch(report).then(install).then(assertSdkInstalled).then(() => console.log('loaded'), report);
  `;
  const restart =
    'the AWS SDK is there, but Node.js does not find it: restart the process, or npm install @aws-sdk/client-cloudwatch-logs';
  const notInstalledText = notInstalled.replace('MISCONFIGURED ', '');
  // Node.js 20 and 26.12 remember it, others do not.
  const ends = process.versions.node.startsWith('20.') ? [restart] : [restart, 'loaded'];
  expect(ends.map((end) => `${notInstalledText}${end}\n`)).toContain(run(app, 'main.mjs', program));
});

it.each([
  ['esm', ''],
  ['cjs', ''],
  ['esm', 'thread'],
])('delivers after all file descriptors were in use at the first record (%s %s)', async (format, thread) => {
  const { emulator } = await startEmulator();
  const file = join(import.meta.dirname, 'children/no-descriptors.mjs');
  const command = ['-c', 'ulimit -n 100; exec "$@"', 'sh', process.execPath, file, format, thread];
  const { stdout } = await promisify(execFile)('sh', command, { env: { ...process.env, ...emulator.env } });
  // The descriptors are free when the failure was told; the backoff may be shorter.
  expect(stdout).toMatch(thread ? /^delivered 1\n$/ : /^(UNAVAILABLE\n)+delivered 1\n$/);
});

it('has declarations that do not import the SDK', () => {
  for (const format of ['esm', 'cjs']) {
    const folder = join(root, 'dist', format);
    const declarations = readdirSync(folder).filter((file) => file.endsWith('.d.ts'));
    expect(declarations).toContain('index.d.ts');
    for (const file of declarations) {
      expect(readFileSync(join(folder, file), 'utf8'), file).not.toMatch(
        /(from|import\(|require\(|types=)\s*['"]@aws-sdk/,
      );
    }
  }
});

it('type-checks without the SDK, declarations included', () => {
  const app = installWithoutSdk();
  const source = `import { createCloudWatch } from '@logferry/cloudwatch';\ncreateCloudWatch({ logGroupName: 'shop' });\n`;
  for (const file of ['main.mts', 'main.cts']) writeFileSync(join(app, file), source);
  const compilerOptions = { module: 'nodenext', strict: true, skipLibCheck: false, noEmit: true, types: [] };
  writeFileSync(join(app, 'tsconfig.json'), JSON.stringify({ compilerOptions }));
  const tsc = join(dirname(resolve('typescript/package.json')), 'bin', 'tsc');
  const { stdout, status } = spawnSync(process.execPath, [tsc, '-p', app], { encoding: 'utf8' });
  expect(stdout).toBe('');
  expect(status).toBe(0);
});
