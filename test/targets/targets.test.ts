/**
 * Loads into databases that others made, of every kind in `target-kinds.ts`, in both layouts and
 * with both writers: either every record is there and the exit status is 0, or nothing has changed
 * and one line says why.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { type Db, type Document, MongoClient, MongoServerError } from 'mongodb';
import { LAYOUTS, type Layout } from '../../src/config/settings.js';
import { isAtLeast, versionNumbers } from '../../src/store/server.js';
import { runCli } from '../support/cli.js';
import { loadFlags } from '../support/dataset.js';
import { LAYOUTS_HERE, SERVER_VERSION } from '../support/features.js';
import { startTestServer, type TestServer } from '../support/server.js';
import type { Outcome, TargetKind } from './target-kind.js';
import { TARGET_KINDS } from './target-kinds.js';

let server: TestServer;
let admin: MongoClient;
let number = 0;

before(async () => {
  server = await startTestServer({ auth: true });
  admin = await new MongoClient(server.uri).connect();
});
after(async () => {
  await admin?.close();
  await server?.stop();
});

/** An hour of the default fleet. */
const HOUR = ['--start', '2025-02-08T23:00Z', '--end', '2025-02-09T00:00Z'];
const RECORDS = 10 * 3 * 60 + 32 * 2 * 60;

const outcomeOf = ({ outcome }: TargetKind, layout: Layout): Outcome =>
  typeof outcome === 'object' ? outcome[layout] : outcome;

/**
 * On this server: without time-series collections the layout is refused, whatever lies there. Who
 * may not look is told that first.
 */
const outcomeHere = (kind: TargetKind, layout: Layout): Outcome =>
  LAYOUTS_HERE.includes(layout) || kind.role?.collection ? outcomeOf(kind, layout) : 5;

/** Everything that a database holds: collections with their options, indexes and documents. */
async function contentsOf(db: Db): Promise<Document> {
  const contents: Document = {};
  for (const info of await db.listCollections().toArray()) {
    if (info.name.startsWith('system.')) continue;
    const isView = info.type === 'view';
    contents[info.name] = {
      type: info.type,
      options: 'options' in info ? info.options : undefined,
      indexes: isView ? [] : await db.collection(info.name).indexes(),
      documents: await db.collection(info.name).find().toArray(),
    };
  }
  return contents;
}

async function uriFor({ role }: TargetKind, database: string): Promise<string> {
  if (!role) return server.uri;
  const { actions, collection } = role;
  const db = admin.db(database);
  await db.command({
    createRole: 'some',
    roles: [],
    privileges: [
      {
        resource: { db: database, collection: '' },
        actions: ['listCollections', 'listIndexes'],
      },
      { resource: { db: database, collection }, actions },
    ],
  });
  await db.command({ createUser: 'some', pwd: 'pw', roles: ['some'] });
  return `mongodb://some:pw@127.0.0.1:${server.port}/?authSource=${database}`;
}

// Each load has a database of its own, so several run side by side.
describe('targets that others made', { concurrency: 4 }, () => {
  for (const kind of TARGET_KINDS) {
    if (kind.since && !isAtLeast(SERVER_VERSION, ...versionNumbers(kind.since))) {
      test(`${kind.name}: cannot be made on MongoDB ${SERVER_VERSION}`, async () => {
        await assert.rejects(kind.prepare(admin.db(`unmade_${++number}`)), MongoServerError);
      });
      continue;
    }
    for (const layout of LAYOUTS) {
      for (const writer of ['sequence', 'bulkwrite']) {
        const expected = outcomeHere(kind, layout);
        const ends = expected === 'loads' ? 'loads' : `refused with ${expected}`;
        test(`${kind.name}, ${layout}, ${writer}: ${ends}`, () => meet(kind, layout, writer));
      }
    }
  }
});

async function meet(kind: TargetKind, layout: Layout, writer: string): Promise<void> {
  const expected = outcomeHere(kind, layout);
  const database = `target_${++number}`;
  const db = admin.db(database);
  await kind.prepare(db);
  const uri = await uriFor(kind, database);
  const earlier = await contentsOf(db);
  const { flags: asked = [] } = kind;
  const flags = loadFlags({ uri, database }, ...HOUR, '--layout', layout, '--writer', writer, ...asked);
  const { status, stderr } = await runCli(flags);
  assert.equal(status, expected === 'loads' ? 0 : expected, stderr);
  if (expected !== 'loads') {
    assert.deepEqual(await contentsOf(db), earlier);
    assert.match(stderr, /❌ [^\n]+\n {3}└── \S/);
    assert.doesNotMatch(stderr, /unexpected|^ +at /m);
    return;
  }
  const theirs = asked.includes('--clean') ? 0 : (earlier.metrics?.documents.length ?? 0);
  assert.equal(await db.collection('metrics').countDocuments(), RECORDS + theirs);
  assert.equal((await db.collection('seed_runs').findOne({ seed: 7 }))?.state, 'complete');
}

test('docs/reliability.md has every kind with its outcome', () => {
  const document = readFileSync(new URL('../../../docs/reliability.md', import.meta.url), 'utf8');
  const text = (outcome: Outcome) => (outcome === 'loads' ? 'loads' : `exit ${outcome}`);
  for (const kind of TARGET_KINDS) {
    const row = `| ${kind.name} | ${LAYOUTS.map((layout) => text(outcomeOf(kind, layout))).join(' | ')} |`;
    assert.ok(document.includes(row), row);
  }
  assert.ok(TARGET_KINDS.length >= 40);
});
