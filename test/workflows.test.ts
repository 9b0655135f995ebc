import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

const root = fileURLToPath(new URL('../', import.meta.url));
const read = (path: string) => parse(readFileSync(join(root, '.github', path), 'utf8'));
const filesIn = (folder: string): readonly string[] =>
  readdirSync(join(root, '.github', folder)).map((name) => `${folder}/${name}`);
const forms = filesIn('ISSUE_TEMPLATE').filter((path) => !path.endsWith('/config.yml'));

interface Step {
  readonly uses?: string;
  readonly run?: string;
}

interface Workflow {
  readonly jobs: Readonly<Record<string, Job>>;
}

interface Job {
  readonly steps: readonly Step[];
  readonly permissions?: unknown;
}

const stepsOf = ({ jobs }: Workflow): readonly Step[] => Object.values(jobs).flatMap(({ steps }) => steps);

describe('the workflows', () => {
  it.each(filesIn('workflows'))('%s runs scripts that the repository has', (path) => {
    const { scripts } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    const steps = stepsOf(read(path));
    expect(steps.length).toBeGreaterThan(0);
    const text = readFileSync(join(root, '.github', path), 'utf8');
    for (const [, name = ''] of text.matchAll(/npm run ([\w:]+)/g)) expect(scripts).toHaveProperty([name]);
    for (const [, file = ''] of text.matchAll(/node (\S+\.mjs)/g))
      expect(() => readFileSync(join(root, file))).not.toThrow();
  });

  it.each(filesIn('workflows'))('%s names each action by its commit, which cannot change as a tag can', (path) => {
    const actions = stepsOf(read(path)).flatMap(({ uses = [] }) => uses);
    expect(actions.length).toBeGreaterThan(0);
    for (const action of actions) expect(action).toMatch(/^[\w-]+\/[\w-]+@[0-9a-f]{40}$/);
  });

  it('check all that must pass before a change lands', () => {
    expect(stepsOf(read('workflows/ci.yml')).map(({ run }) => run)).toContain('.ci/run');
  });

  it('publish with a statement of provenance', () => {
    expect(read('workflows/release.yml').jobs.release.permissions).toMatchObject({ 'id-token': 'write' });
  });
});

describe('an issue', () => {
  it.each(forms)('is asked for by the form %s, whose fields have ids and labels', (path) => {
    const { name, description, body } = read(path);
    expect([name, description].every((text) => typeof text === 'string')).toBe(true);
    for (const { type, id, attributes } of body) {
      expect(['textarea', 'input', 'dropdown']).toContain(type);
      expect(id).toMatch(/^[a-z]+$/);
      expect(attributes.label).toMatch(/\S/);
    }
    expect(new Set(body.map(({ id }: { readonly id: string }) => id)).size).toBe(body.length);
  });

  it('is led elsewhere by links to pages that the repository has', () => {
    const { contact_links: links } = read('ISSUE_TEMPLATE/config.yml');
    expect(links.length).toBeGreaterThan(0);
    for (const { url } of links) {
      const [, page] = /^https:\/\/github\.com\/logferry\/logferry\/(?:blob\/main\/(.+)|security\/)/.exec(url) ?? [
        url,
        url,
      ];
      if (page) expect(() => readFileSync(join(root, page))).not.toThrow();
    }
  });
});
