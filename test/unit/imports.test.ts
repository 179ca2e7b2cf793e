/** The rooms: who may import whom, who owns the runs, and how large files and rooms may be. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { codeOf, files, type Import, importsUnder, ROOT, roomOf, statementsOf } from './source-imports.js';

/**
 * Rooms that each room may load code of. What it may load it may not have loaded for it: only what
 * stands here.
 */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  system: [],
  threads: ['system'],
  config: ['system'],
  fleet: ['system'],
  model: [],
  encode: ['model'],
  output: [],
  store: [],
  plan: ['model'],
  embedded: ['system'],
  connect: ['config', 'embedded', 'store', 'system', 'threads'],
  dataset: ['config', 'encode', 'fleet', 'model', 'plan'],
  runs: ['config', 'connect', 'fleet', 'model', 'plan', 'store', 'system', 'threads'],
  inspect: ['connect', 'runs', 'store'],
  write: ['connect', 'encode', 'plan', 'store', 'threads'],
  load: [
    'config',
    'connect',
    'dataset',
    'encode',
    'fleet',
    'inspect',
    'model',
    'plan',
    'runs',
    'store',
    'threads',
  ],
  verify: [
    'connect',
    'dataset',
    'encode',
    'fleet',
    'inspect',
    'load',
    'model',
    'plan',
    'runs',
    'store',
    'threads',
  ],
  export: ['dataset', 'encode', 'fleet', 'model', 'plan', 'store', 'system', 'threads'],
  picture: ['dataset', 'fleet', 'model', 'output', 'plan', 'runs', 'store'],
  answers: ['dataset', 'encode', 'model', 'plan'],
  workload: ['dataset', 'model', 'plan', 'store', 'threads'],
  cli: ['config', 'library', 'output', 'picture', 'system'],
  workers: [
    'connect',
    'dataset',
    'encode',
    'export',
    'fleet',
    'model',
    'plan',
    'store',
    'threads',
    'verify',
    'workload',
    'write',
  ],
};

/** Rooms of which types alone may be imported besides. */
const TYPES_MAY_COME_FROM: Readonly<Record<string, readonly string[]>> = {
  encode: ['fleet'],
  model: ['fleet'],
  picture: ['connect', 'workload'],
  plan: ['fleet'],
  runs: ['dataset'],
  verify: ['workers'],
  workers: ['load'],
  write: ['dataset'],
};

/** The package's own export knows everything. */
const ENTRIES = ['library', 'index.ts'];
/** Causes of failure, CSV, limits of time and versions are everybody's. */
const FOR_ALL = ['src/csv.ts', 'src/errors.ts', 'src/supported-node.ts', 'src/time.ts', 'src/version.ts'];
/**
 * Files of types that every room may import as types: the settings, the assets, and what a load
 * tells the world.
 */
const TYPES_FOR_ALL = [
  'src/config/settings.ts',
  'src/fleet/file.ts',
  'src/fleet/types.ts',
  'src/output/types.ts',
];

/** A file's lines, the files of `src`, and one room's part of its lines. */
const MOST_LINES = 320;
const MOST_FILES = 176;
const MOST_OF_ALL = 0.15;

/** Rooms whose code a room loads, by itself or by another. */
function reachable(room: string, seen = new Set<string>()): ReadonlySet<string> {
  for (const next of MAY_IMPORT[room] ?? []) {
    if (seen.has(next)) continue;
    seen.add(next);
    reachable(next, seen);
  }
  return seen;
}

function isAllowed({ room, typeOnly, target }: Import): boolean {
  if (!target || target.room === room || ENTRIES.includes(room)) return true;
  if (FOR_ALL.includes(target.file)) return true;
  if (typeOnly && (TYPES_FOR_ALL.includes(target.file) || TYPES_MAY_COME_FROM[room]?.includes(target.room))) {
    return true;
  }
  return (MAY_IMPORT[room] ?? []).includes(target.room);
}

const all = [...importsUnder('src'), ...importsUnder('workers')];
const said = ({ file, from, typeOnly }: Import) => `${file} imports ${typeOnly ? 'types of ' : ''}${from}`;

test('statements of every form are seen, types told from values', () => {
  const text = `
    import a from './a.js';
    import { b, type B } from './b.js';
    import {
      type C,
      type D,
    } from "./c.js";
    import type { E } from './e.js';
    export * from './f.js';
    export { type G } from './g.js';
    export type * from './h.js';
    import './i.js';
    import j, { type J } from './j.js';
    import * as k from './k.js';
    const l = await import('./l.js');
    // import m from './m.js';
    /* import n from './n.js'; */
    import type from './o.js';
  `;
  const found = Object.fromEntries(statementsOf(text).map(({ from, typeOnly }) => [from[2], typeOnly]));
  assert.deepEqual(found, {
    a: false,
    b: false,
    c: true,
    e: true,
    f: false,
    g: true,
    h: true,
    i: false,
    j: false,
    k: false,
    l: false,
    o: false,
  });
});

test('every room of src stands in the table, and the table has no other', () => {
  const rooms = new Set(all.map(({ room }) => room).filter((room) => !room.endsWith('.ts')));
  const known = new Set([...Object.keys(MAY_IMPORT), 'library']);
  assert.deepEqual([...rooms].sort(), [...known].sort());
  // No imports at all would mean that nothing was read.
  assert.ok(all.length > 200, `${all.length} imports`);
});

test('rooms import only what the table allows', () => {
  assert.deepEqual(all.filter((one) => !isAllowed(one)).map(said), []);
});

test('the table can refuse: the other direction is not allowed', () => {
  const wrong = (room: string, file: string, typeOnly = false) =>
    isAllowed({ file: '', room, from: '', typeOnly, target: { file, room: roomOf(file) } });
  assert.equal(wrong('model', 'src/load/load.ts'), false);
  assert.equal(wrong('plan', 'src/store/reads.ts'), false);
  assert.equal(wrong('output', 'src/load/session.ts'), false);
  assert.equal(wrong('output', 'src/load/session.ts', true), false);
  assert.equal(wrong('store', 'src/connect/retry.ts'), false);
  assert.equal(wrong('config', 'src/fleet/types.ts'), false);
  assert.equal(wrong('load', 'src/cli/load.ts', true), false);
  assert.equal(wrong('load', 'src/write/sink.ts', true), false);
  assert.equal(wrong('write', 'src/load/load.ts', true), false);
  assert.equal(wrong('cli', 'src/load/load.ts'), false);
  assert.equal(wrong('cli', 'src/verify/verify.ts', true), false);
  assert.equal(wrong('encode', 'src/config/settings.ts'), false);
  assert.equal(wrong('encode', 'src/config/settings.ts', true), true);
});

test('no file imports itself: a bundle would lack what it asks for', () => {
  const found = all.filter(({ file, target }) => target?.file === file);
  assert.deepEqual(found.map(said), []);
});

test('no room reaches itself: the direction has no circles', () => {
  for (const room of Object.keys(MAY_IMPORT)) {
    assert.ok(!reachable(room).has(room), room);
  }
});

test('the model is pure: the fleet, the streams of seedrandom, and nothing else', () => {
  const foreign = all.filter(({ room, target, from }) => {
    if (room !== 'model') return false;
    if (target?.file === 'src/time.ts') return false;
    return target ? !['model', 'fleet'].includes(target.room) : from !== 'seedrandom';
  });
  assert.deepEqual(foreign.map(said), []);
  for (const name of readdirSync(join(ROOT, 'src/model'), { recursive: true, encoding: 'utf8' })) {
    if (!name.endsWith('.ts')) continue;
    const text = readFileSync(join(ROOT, 'src/model', name), 'utf8');
    const impure =
      /\bDate\.now\b|\bnew Date\(\)|\bMath\.random\b|\bperformance\.|\bprocess\.|\brequire\(/.exec(text);
    assert.equal(impure, null, `src/model/${name}: ${impure?.[0]}`);
  }
});

test('rooms that describe rather than store do not know MongoDB', () => {
  const withoutDriver = ['config', 'fleet', 'model', 'plan', 'output', 'threads'];
  const found = all.filter(
    ({ room, from }) => withoutDriver.includes(room) && /^(?:mongodb|bson)\b/.test(from),
  );
  assert.deepEqual(found.map(said), []);
});

test('no other room imports the command line, which parses, calls the library and prints', () => {
  const found = all.filter(({ room, target }) => target?.room === 'cli' && room !== 'cli');
  assert.deepEqual(found.map(said), []);
});

test('texts of flags and variables are read for the command line alone', () => {
  const callers = files.filter((file) => /\breadConfiguration\(/.test(codeOf(file)));
  const others = callers.filter((file) => roomOf(file) !== 'cli' && file !== 'src/config/configuration.ts');
  assert.deepEqual(others, []);
  assert.ok(callers.length > 5, `${callers.length} files`);
});

test('the collections of runs are named, read and written in one room', () => {
  const named = files.filter(
    (file) => roomOf(file) !== 'runs' && /['"`]seed_(?:runs|shards|parts)/.test(codeOf(file)),
  );
  assert.deepEqual(named, []);
  const used = files.filter(
    (file) =>
      roomOf(file) !== 'runs' && /collection(?:<[^()]*>)?\(\s*(?:RUNS|SHARDS|PARTS)\b/.test(codeOf(file)),
  );
  assert.deepEqual(used, []);
});

test('a file is read in one sitting, and no room outgrows the others', () => {
  const lines = (file: string) => readFileSync(join(ROOT, file), 'utf8').split('\n').length - 1;
  assert.deepEqual(
    files.filter((file) => lines(file) > MOST_LINES),
    [],
  );
  assert.ok(files.length <= MOST_FILES, `${files.length} files`);
  const total = files.reduce((sum, file) => sum + lines(file), 0);
  for (const room of new Set(files.map(roomOf))) {
    const own = files.filter((file) => roomOf(file) === room).reduce((sum, file) => sum + lines(file), 0);
    assert.ok(own <= MOST_OF_ALL * total, `${room}: ${own} of ${total} lines`);
  }
});

test("docs/architecture.md lists a record's way: at most thirty files, which are there", () => {
  const text = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8');
  const [, way = ''] = /## A record's way\n\n([\s\S]*?)\n\n/.exec(text) ?? [];
  const listed = [...way.matchAll(/`([\w/-]+)`/g)].map(([, file]) => file);
  assert.ok(listed.length > 20 && listed.length <= 30, `${listed.length} files`);
  const missing = listed.filter(
    (file) => !files.includes(`src/${file}.ts`) && !existsSync(join(ROOT, `${file}.ts`)),
  );
  assert.deepEqual(missing, []);
});
