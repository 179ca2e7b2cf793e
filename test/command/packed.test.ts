/** The package as it is published: what it holds, and its types as other projects resolve them. */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { withFolder } from '../support/config.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** Packs the checkout and unpacks it as an installed package, beside the libraries of the checkout. */
async function withPackage(work: (folder: string, installed: string) => void): Promise<void> {
  await withFolder({}, async (folder) => {
    const pack = ['pack', '--ignore-scripts', '--silent', '--pack-destination', folder];
    execFileSync('npm', pack, { cwd: ROOT });
    const [archive] = readdirSync(folder).filter((name) => name.endsWith('.tgz'));
    const modules = join(folder, 'node_modules');
    const installed = join(modules, 'seed-database');
    mkdirSync(installed, { recursive: true });
    execFileSync('tar', ['-xzf', join(folder, archive), '-C', installed, '--strip-components=1']);
    for (const name of readdirSync(join(ROOT, 'node_modules'))) {
      if (!name.startsWith('.')) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
    }
    work(folder, installed);
  });
}

test('it holds what its documents link to, and no map without its source', async () => {
  await withPackage((_folder, installed) => {
    const files = readdirSync(installed, { recursive: true, encoding: 'utf8' });
    assert.deepEqual(
      files.filter((name) => name.endsWith('.map')),
      [],
    );
    const documents = files.filter((name) => /^(README|docs\/.*)\.md$/.test(name));
    assert.ok(documents.length > 10);
    for (const document of documents) {
      const text = readFileSync(join(installed, document), 'utf8');
      for (const [, link] of text.matchAll(/\]\((?!https?:|#|mailto:)([^)#\s]+)/g)) {
        const target = join(installed, dirname(document), link);
        // The benchmark and the guide for contributors are of the checkout alone.
        if (/^(\.\.\/)?(bench\/|CONTRIBUTING\.md)/.test(link)) continue;
        assert.ok(existsSync(target), `${document} links to ${link}`);
      }
    }
  });
});

const CONSUMER = `
import { generate, load, type LoadSummary, plan, SeedError, verify } from 'seed-database';
const summary: Promise<LoadSummary> = load({ days: 1, seed: 42 }, { onEvent: (event) => void event.type });
const records: number = plan({ days: 1 }).records;
for await (const document of generate({ seed: 1 })) void document.value;
verify({ run: 'x' }).catch((error: unknown) => error instanceof SeedError && error.exitStatus);
void summary;
void records;
`;

const WRONG = `
import { load } from 'seed-database';
load({ dayz: 1 });
`;

for (const [module, resolution] of [
  ['node16', 'node16'],
  ['nodenext', 'nodenext'],
  ['esnext', 'bundler'],
]) {
  test(`its types under strict rules, resolved as ${resolution}`, async () => {
    await withPackage((folder) => {
      writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
      const compile = (source: string) => {
        writeFileSync(join(folder, 'consumer.ts'), source);
        const rules = ['--strict', '--noEmit', '--target', 'es2022', '--types', 'node', '--skipLibCheck'];
        const how = ['--module', module, '--moduleResolution', resolution];
        try {
          const tsc = join(ROOT, 'node_modules', '.bin', 'tsc');
          execFileSync(tsc, [...rules, ...how, 'consumer.ts'], { cwd: folder, encoding: 'utf8' });
          return '';
        } catch (error) {
          return (error as { stdout: string }).stdout;
        }
      };
      assert.equal(compile(CONSUMER), '');
      assert.match(compile(WRONG), /dayz/);
    });
  });
}
