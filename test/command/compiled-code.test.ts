/** What the engine has compiled is kept in the user's cache folder, where Node can do that. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import module from 'node:module';
import { join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { runCli } from '../support/cli.js';
import { withFolder } from '../support/config.js';

const canKeep = 'enableCompileCache' in module;

/** The files that are there after the program has run, but for its own log. */
async function filesLeft(cache: string, env: Record<string, string> = {}): Promise<readonly string[]> {
  let files: readonly string[] = [];
  await withFolder({}, async (cwd) => {
    const { status, stderr } = await runCli(['--version'], {
      cwd,
      env: { HOME: cwd, XDG_CACHE_HOME: resolve(cwd, cache), ...env },
    });
    assert.equal(status, 0, stderr);
    assert.equal(stderr, '');
    files = readdirSync(cwd, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map(({ parentPath, name }) => relative(cwd, join(parentPath, name)));
  });
  return files;
}

test('compiled code is kept in the cache folder, and nowhere else', async () => {
  const files = await filesLeft('cache');
  assert.equal(files.length > 0, canKeep);
  const elsewhere = files.filter((file) => !file.startsWith(join('cache', 'seed-database', 'compiled')));
  assert.deepEqual(elsewhere, []);
});

test('it is not kept where Node is told not to, nor where the folder cannot be made', async () => {
  assert.deepEqual(await filesLeft('cache', { NODE_DISABLE_COMPILE_CACHE: '1' }), []);
  assert.deepEqual(await filesLeft('/dev/null/cache'), []);
});
