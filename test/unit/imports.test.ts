/** Who may import whom: the table of DESIGN.md, section 2, checked against every import of `src` and `workers`. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The design's table. A room may also use what the rooms it may import are made of: `load` uses `fleet` through `plan`. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  config: [],
  fleet: [],
  model: ['fleet'],
  plan: ['fleet'],
  encode: [],
  store: ['config'],
  load: ['plan', 'encode', 'store'],
  report: [],
  workers: ['model', 'encode', 'load'],
};

/** What the table does not say, and why it is so. */
const ALSO: Readonly<Record<string, readonly string[]>> = {
  // Counts are exact before the first insert, and when a backup runs is the model's calendar.
  plan: ['model'],
  // A source has the model behind it, and a run stores the model's version.
  load: ['model'],
  // A room of later date than the table: it recomputes what was loaded, with the loader's own source.
  verify: ['load', 'model'],
  // Of later date as well: it shows what the model makes and what a database holds, in the words of the reports.
  picture: ['model', 'plan', 'store', 'report'],
  // Of later date too: files instead of a server, from the loader's own source and pool.
  export: ['load', 'plan', 'encode', 'model', 'store'],
  // Beside the entry that loads, one that compares and one that writes files.
  workers: ['verify', 'export'],
};

/** Imports of types alone, which nothing is loaded for. */
const TYPES_MAY_COME_FROM: Readonly<Record<string, readonly string[]>> = {
  encode: ['model', 'fleet'],
  verify: ['workers'],
};

/** These say everything and know everything: the command line and the package's own export. */
const ENTRIES = ['cli', 'library', 'index.ts'];
/** Causes of failure, reading what a user names, near names, time zones and the program's version are everybody's. */
const FOR_ALL = [
  'src/errors.ts',
  'src/system/files.ts',
  'src/nearest.ts',
  'src/supported-node.ts',
  'src/system/files.ts',
  'src/time.ts',
  'src/version.ts',
];
/** Files of types that every room may import as types: the settings, the assets, and what a load tells the world. */
const TYPES_FOR_ALL = [
  'src/config/settings.ts',
  'src/fleet/file.ts',
  'src/fleet/types.ts',
  'src/output/types.ts',
];

interface Import {
  /** Path from the root, with forward slashes. */
  readonly file: string;
  readonly room: string;
  /** As written. */
  readonly from: string;
  readonly typeOnly: boolean;
  /** The imported file of ours and its room; undefined for packages. */
  readonly target: { readonly file: string; readonly room: string } | undefined;
}

const STATEMENT =
  /(?:^|[;}\n])\s*(?:import|export)\s+(?<type>type\s+(?!from\b))?(?<names>[\w*\s{},$]*?)\s*from\s*['"](?<from>[^'"]+)['"]/g;
const BARE_OR_DYNAMIC =
  /(?:^|[;}\n])\s*import\s*['"](?<bare>[^'"]+)['"]|\bimport\(\s*['"](?<dynamic>[^'"]+)['"]/g;

/** All imports and re-exports of a source text. */
function statementsOf(text: string): { from: string; typeOnly: boolean }[] {
  const source = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '');
  const found = [...source.matchAll(STATEMENT)].map(({ groups }) => {
    const { type, names = '', from = '' } = groups ?? {};
    const braces = /^\s*\{(?<inner>[^}]*)\}\s*$/.exec(names)?.groups?.inner;
    const each = braces?.split(',').filter((name) => name.trim() !== '');
    return {
      from,
      typeOnly: type !== undefined || (each?.every((name) => /^\s*type\s/.test(name)) ?? false),
    };
  });
  for (const { groups } of source.matchAll(BARE_OR_DYNAMIC)) {
    found.push({ from: groups?.bare ?? groups?.dynamic ?? '', typeOnly: false });
  }
  return found;
}

/** `src/threads/pool.ts` is of the room `load`, `workers/x.ts` of `workers`, `src/index.ts` a room of its own. */
function roomOf(file: string): string {
  const [top, room] = file.split('/');
  return top === 'workers' ? top : room;
}

function importsUnder(folder: string): Import[] {
  const names = readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' });
  return names
    .filter((name) => name.endsWith('.ts'))
    .flatMap((name) => {
      const path = join(ROOT, folder, name);
      const file = relative(ROOT, path).split(sep).join('/');
      return statementsOf(readFileSync(path, 'utf8')).map(({ from, typeOnly }) => ({
        file,
        room: roomOf(file),
        from,
        typeOnly,
        target: from.startsWith('.') ? targetOf(file, from) : undefined,
      }));
    });
}

function targetOf(file: string, from: string): Import['target'] {
  const target = posix.normalize(posix.join(dirname(file), from)).replace(/\.js$/, '.ts');
  return { file: target, room: roomOf(target) };
}

/** Rooms whose code a room may load: those named, and theirs. */
function reachable(room: string, seen = new Set<string>()): ReadonlySet<string> {
  for (const next of [...(MAY_IMPORT[room] ?? []), ...(ALSO[room] ?? [])]) {
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
  return reachable(room).has(target.room);
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
  const known = new Set([...Object.keys(MAY_IMPORT), ...Object.keys(ALSO), 'cli', 'library']);
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
  assert.equal(wrong('report', 'src/load/summary.ts'), false);
  assert.equal(wrong('report', 'src/load/summary.ts', true), false);
  assert.equal(wrong('store', 'src/connect/retry.ts'), false);
  assert.equal(wrong('config', 'src/fleet/types.ts'), false);
  assert.equal(wrong('load', 'src/cli/load.ts', true), false);
  assert.equal(wrong('encode', 'src/config/settings.ts'), false);
  assert.equal(wrong('encode', 'src/config/settings.ts', true), true);
});

test('no room reaches itself: the direction has no circles', () => {
  for (const room of [...Object.keys(MAY_IMPORT), ...Object.keys(ALSO)]) {
    assert.ok(!reachable(room).has(room), room);
  }
});

test('the model is pure: the fleet, the streams of seedrandom, and nothing else', () => {
  const foreign = all.filter(({ room, target, from }) => {
    if (room !== 'model') return false;
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
  const withoutDriver = ['config', 'fleet', 'model', 'plan', 'report'];
  const found = all.filter(
    ({ room, from }) => withoutDriver.includes(room) && /^(?:mongodb|bson)\b/.test(from),
  );
  assert.deepEqual(found.map(said), []);
});

test('the command line only parses, calls and prints: no other room imports it', () => {
  const found = all.filter(({ room, target }) => target?.room === 'cli' && room !== 'cli');
  assert.deepEqual(found.map(said), []);
});
