/**
 * What stands before the program: a Node that is too old, a checkout that is not built, an option
 * that Node has, too.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { nodeRefusal } from '../../src/supported-node.js';
import { CLI_ENTRY } from '../support/cli.js';
import { withFolder } from '../support/config.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const { engines, scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'));

function node(cwd: string, args: readonly string[], env: Record<string, string> = {}) {
  return spawnSync(process.execPath, args, {
    cwd,
    env: { PATH: process.env.PATH, ...env },
    encoding: 'utf8',
    timeout: 30_000,
  });
}

test('the versions of Node that are refused are those that package.json excludes', () => {
  const [, least] = /^>=(\d+\.\d+)\.0$/.exec(engines.node) ?? [];
  assert.match(
    nodeRefusal('18.20.8') ?? '',
    new RegExp(`^Node 18\\.20\\.8 is too old.* Node ${least} or newer$`),
  );
  for (const old of ['12.22.0', '16.20.2', '20.0.0', '20.18.3']) assert.ok(nodeRefusal(old), old);
  for (const fine of [`${least}.0`, '20.20.2', '22.0.0', '24.1.0', '26.0.0']) {
    assert.equal(nodeRefusal(fine), undefined, fine);
  }
});

test('a Node that is too old is refused in one line before anything else is read', async () => {
  await withFolder({}, async (folder) => {
    // The entry alone: whatever it imported would not be found.
    cpSync(CLI_ENTRY, join(folder, 'main.mjs'));
    const old =
      'Object.defineProperty(process, "versions", { value: { ...process.versions, node: "18.20.8" } })';
    const seam = `data:text/javascript,${encodeURIComponent(old)}`;
    const { status, stdout, stderr } = node(folder, ['--import', seam, 'main.mjs', '--json']);
    assert.equal(status, 2);
    assert.match(stderr, /^seed-database: Node 18\.20\.8 is too old[^\n]*\n {3}install a newer one[^\n]*\n$/);
    assert.equal(JSON.parse(stdout).exitStatus, 2);
  });
});

test('npm run seed in a checkout that is not built says what to run', async () => {
  await withFolder({}, async (folder) => {
    for (const name of ['seed.js', 'prepare.js', 'package.json'])
      cpSync(join(ROOT, name), join(folder, name));
    const [, ...seed] = scripts.seed.split(' ');
    const without = node(folder, seed);
    assert.deepEqual([without.status, without.stdout], [2, '']);
    assert.equal(without.stderr, 'seed-database: it is not built yet\n   run: npm ci --include=dev\n');
    // Installed without its tools, because somebody asked for that: no failure.
    const [, ...prepare] = scripts.prepare.split(' ');
    const prepared = node(folder, prepare, { npm_config_omit: 'dev', NODE_ENV: 'production' });
    assert.deepEqual([prepared.status, prepared.stderr], [0, '']);
    assert.match(prepared.stdout, /^seed-database: not built, [^\n]*npm ci --include=dev[^\n]*\n$/);
    mkdirSync(join(folder, 'node_modules', 'typescript'), { recursive: true });
    assert.equal(node(folder, seed).stderr, 'seed-database: it is not built yet\n   run: npm run build\n');
  });
});

test('npm run seed leaves --env-file to the program', async () => {
  await withFolder({}, async (folder) => {
    const [, dashes] = scripts.seed.split(' ');
    const { status, stderr } = node(folder, [
      dashes,
      join(ROOT, 'seed.js'),
      '--dry-run',
      '--env-file',
      'none',
    ]);
    assert.equal(status, 2);
    assert.match(stderr, /^❌ cannot read the variables in none: there is no such file\n/);
  });
});
