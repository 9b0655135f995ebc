// Adds up the results of the suites in the named runs: `node scripts/count-tests.mjs short full`.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const suites = [...readdirSync('packages').map((name) => join('packages', name)), 'test', 'docs'];
const files = process.argv
  .slice(2)
  .flatMap((name) => suites.map((suite) => join(suite, 'test-results', `${name}.json`)))
  .filter((file) => existsSync(file));

let passed = 0;
let failed = 0;
for (const file of files) {
  const { numPassedTests, numFailedTests } = JSON.parse(readFileSync(file, 'utf8'));
  passed += numPassedTests;
  failed += numFailedTests;
}
console.log(`${passed} passed, ${failed} failed`);
if (passed === 0 || failed > 0) process.exitCode = 1;
