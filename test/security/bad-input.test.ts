/**
 * Input of every kind, good or bad: taken, or refused in one line and before anything is written.
 * Never a stack trace.
 */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import fc from 'fast-check';
import { type Db, type Document, Long, MongoClient, ObjectId } from 'mongodb';
import { SETTING_NAMES, settingEntry } from '../../src/config/catalog.js';
import { readConfiguration } from '../../src/config/configuration.js';
import { parseEnvFile } from '../../src/config/sources.js';
import { SeedError } from '../../src/errors.js';
import { DEFAULT_FLEET } from '../../src/fleet/default.js';
import { planLoad } from '../../src/plan/plan.js';
import { datasetOf, parseRun, parseShard } from '../../src/runs/run-document.js';
import { runCli } from '../support/cli.js';
import { loadFlags, loadWell, type Place, placeFlags, resumeWell } from '../support/dataset.js';
import { startTestServer, type TestServer } from '../support/server.js';

/** Runs something that may refuse. */
function refusesWell(attempt: () => unknown): boolean {
  try {
    attempt();
    return false;
  } catch (error) {
    assert.ok(error instanceof SeedError, `not a refusal: ${error instanceof Error ? error.stack : error}`);
    assert.doesNotMatch(error.message, /[\r\n]/);
    return true;
  }
}

const text = fc.oneof(
  fc.string(),
  fc.string({ unit: 'binary' }),
  fc.integer().map(String),
  fc.double().map(String),
  fc.constantFrom(
    '',
    ' ',
    '0',
    '-1',
    '1e9',
    'true',
    'NaN',
    '2025-02-30',
    '2025-02-09',
    'mongodb://',
    '../..',
    '\0',
  ),
);
const variables = fc.dictionary(
  fc.constantFrom(...SETTING_NAMES.flatMap((name) => settingEntry(name).variable ?? [])),
  text,
);
const flags = fc.dictionary(fc.constantFrom(...SETTING_NAMES), text, { maxKeys: 4 });

describe('configuration', () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'seed-database-input-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  test('any flags, any environment, any .env', () => {
    const { envFile: _, ...names } = Object.fromEntries(SETTING_NAMES.map((name) => [name, true]));
    fc.assert(
      fc.property(flags, variables, fc.string({ unit: 'binary' }), (flags, environment, file) => {
        writeFileSync(join(folder, '.env'), file);
        const given = Object.fromEntries(Object.entries(flags).filter(([name]) => name in names));
        refusesWell(() => readConfiguration({ flags: given, environment, directory: folder }));
      }),
      { numRuns: 1500 },
    );
  });

  test('lines of an .env, cut anywhere', () => {
    const line = fc.tuple(
      fc.constantFrom('', 'export ', ' '),
      fc.string(),
      fc.constantFrom('=', '', '="', "='"),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(line), fc.nat(), (lines, cut) => {
        const text = lines.map((parts) => parts.join('')).join('\n');
        refusesWell(() => parseEnvFile(text.slice(0, cut % (text.length + 1)), '.env'));
      }),
      { numRuns: 1500 },
    );
  });
});

const RUN: Document = {
  _id: '0123456789abcdef01234567',
  format: 1,
  seed: 7,
  window: { start: new Date('2025-02-08'), end: new Date('2025-02-09') },
  sections: ['metrics'],
  layout: 'flat',
  availabilityScale: 'percent',
  environment: 'development',
  modelVersion: 1,
  fleetFingerprint: 'x',
  shardDays: 7,
  planned: { metrics: 43_200, polling: 0, backup: 0 },
  shards: 10,
  state: 'interrupted',
  host: 'here',
  pid: 1,
  heartbeat: new Date('2025-02-09'),
  startedAt: new Date('2025-02-09'),
  version: '0.1.0',
};
const SHARD: Document = {
  _id: `${RUN._id}:vm-101:1`,
  run: RUN._id,
  asset: 'vm-101',
  from: new Date('2025-02-08'),
  to: new Date('2025-02-09'),
  records: 4320,
  worker: 0,
  ms: 5,
};

/** What a document may hold in place of what it should. */
const value = fc.oneof(
  fc.constantFrom(
    null,
    undefined,
    '',
    'x',
    {},
    [],
    true,
    false,
    0,
    -1,
    0.5,
    Number.NaN,
    Number.POSITIVE_INFINITY,
    2 ** 60,
  ),
  fc.date(),
  fc.constantFrom(
    new Date(8.64e15),
    new Date(-8.64e15),
    new Date(Number.NaN),
    new ObjectId(),
    Long.MAX_VALUE,
  ),
  fc.integer(),
  fc.string(),
  fc.array(fc.constantFrom('metrics', 'polling', 'x', 1), { maxLength: 5 }),
  fc.record({ start: fc.date(), end: fc.date() }),
  fc.anything(),
);

/** A stored document with some fields replaced, removed or added. */
function spoilt(document: Document) {
  const names = [...Object.keys(document), 'active', 'holder', 'cleaning', 'finishedAt', 'unknown'];
  return fc
    .tuple(
      fc.dictionary(fc.constantFrom(...names), value, { minKeys: 1, maxKeys: 3 }),
      fc.subarray(names, { maxLength: 2 }),
    )
    .map(([changes, removed]) => {
      const changed: Document = { ...document, ...changes };
      for (const name of removed) delete changed[name];
      return changed;
    });
}

describe('stored documents', () => {
  test('a run, spoilt anyhow: refused, or one that can be planned', () => {
    let taken = 0;
    fc.assert(
      fc.property(spoilt(RUN), (document) => {
        refusesWell(() => {
          const { window, sections } = datasetOf(parseRun(document));
          taken++;
          const days = (window.end - window.start) / 1440;
          planLoad(DEFAULT_FLEET, window, sections, Math.max(1, Math.ceil(days / 100)));
        });
      }),
      { numRuns: 3000 },
    );
    assert.ok(taken > 0, 'fields that do not matter do not matter');
  });

  test('a checkpoint, spoilt anyhow', () => {
    fc.assert(
      fc.property(spoilt(SHARD), (document) => void refusesWell(() => parseShard(document))),
      { numRuns: 3000 },
    );
  });

  test('anything at all in their place', () => {
    fc.assert(
      fc.property(fc.anything(), (anything) => {
        refusesWell(() => parseRun(anything));
        refusesWell(() => parseShard(anything));
      }),
    );
  });
});

describe('a database with spoilt documents', () => {
  let server: TestServer;
  let client: MongoClient;
  let db: Db;
  let place: Place;

  before(async () => {
    server = await startTestServer();
    client = await new MongoClient(server.uri).connect();
    place = { uri: server.uri, database: 'spoilt' };
    db = client.db(place.database);
    await loadWell(place, '--metrics-only', '--shard-days', '1');
    await db.collection('seed_runs').updateOne({}, { $set: { state: 'interrupted' } });
  });
  after(async () => {
    await client?.close();
    await server?.stop();
  });

  const hash = async () => (await db.command({ dbHash: 1 })).collections as Document;

  /** What it is called, what is changed, and what the refusal must name. */
  const SPOILT: readonly [string, string, Document, RegExp][] = [
    [
      'a newer format',
      'seed_runs',
      { $set: { format: 2 } },
      /seed_runs cannot be used \(written by a newer version/,
    ],
    ['no seed', 'seed_runs', { $unset: { seed: '' } }, /seed_runs cannot be used: seed/],
    ['a seed of text', 'seed_runs', { $set: { seed: '7' } }, /seed_runs cannot be used: seed/],
    [
      'a window upside down',
      'seed_runs',
      { $set: { 'window.start': new Date('2026-01-01') } },
      /window: ends before/,
    ],
    [
      'a window without end',
      'seed_runs',
      { $set: { 'window.end': new Date(8.64e15) } },
      /seed_runs cannot be used/,
    ],
    [
      'another seed than the data',
      'seed_runs',
      { $set: { planned: { metrics: 1, polling: 0, backup: 0 } } },
      /does not fit/,
    ],
    ['fewer shards', 'seed_runs', { $set: { shards: 9 } }, /does not fit/],
    ['another model', 'seed_runs', { $set: { modelVersion: 99 } }, /model version/],
    [
      'a checkpoint of text',
      'seed_shards',
      { $set: { records: 'many' } },
      /seed_shards cannot be used: records/,
    ],
    ['a checkpoint of other records', 'seed_shards', { $set: { records: 1 } }, /does not fit the plan/],
    [
      'a checkpoint of another end',
      'seed_shards',
      { $set: { to: new Date('2026-01-01') } },
      /does not fit the plan/,
    ],
  ];

  for (const [what, collection, update, message] of SPOILT) {
    test(`--resume with ${what}: one line, no data touched`, async () => {
      const documents = db.collection(collection);
      const [original] = await documents.find().sort({ _id: 1 }).limit(1).toArray();
      await documents.updateOne({ _id: original._id }, update);
      const { metrics, assets, seed_shards } = await hash();
      const result = await runCli(['load', ...placeFlags(place), '--resume', '--log-file', '/dev/null']);
      assert.equal(result.status, 1, result.stderr);
      assert.match(result.stderr, /❌ [^\n]+\n/);
      assert.match(result.stderr, message);
      assert.doesNotMatch(result.stderr, /^ +at |unexpected error/m);
      const now = await hash();
      assert.deepEqual([now.metrics, now.assets, now.seed_shards], [metrics, assets, seed_shards]);
      await documents.replaceOne({ _id: original._id }, original);
    });
  }

  test('unknown fields are no obstacle, and --clean --yes takes whatever is there', async () => {
    await db.collection('seed_runs').updateMany({}, { $set: { comment: 'mine' } });
    await resumeWell(place);
    const active = { active: true, heartbeat: 'never', pid: {} };
    await db.collection<Document>('seed_runs').insertMany([active, { ...active, active: 1 }, { x: 1 }]);
    const { status, stderr } = await runCli(loadFlags(place, '--metrics-only', '--clean', '--yes'));
    assert.equal(status, 0, stderr);
  });
});

const ARGUMENTS: readonly (readonly string[])[] = [
  ['--days', 'NaN'],
  ['--days', '999999999999999999999'],
  ['--seed', '-0'],
  ['--seed', '1e3'],
  ['--end', 'tomorrow'],
  ['--start', '2025-02-10', '--end', '2025-02-09'],
  ['--start', '1970-01-01', '--end', '9999-01-01'],
  ['--batch-size', '1000000'],
  ['--workers', '0'],
  ['--layout', 'flat', '--ttl-days', '3'],
  ['--uri', 'mongodb://'],
  ['--uri', 'http://localhost'],
  ['--log-file', ''],
  ['--database', 'a b'],
  ['--', '--days', '3'],
  ['verify', '--run'],
];

for (const args of ARGUMENTS) {
  test(`spawned: ${args.join(' ')}`, async () => {
    const { status, stdout, stderr } = await runCli(args, { env: { MONGODB_URI: 'mongodb://127.0.0.1:1/' } });
    assert.equal(status, 2, stderr);
    assert.equal(stdout, '');
    assert.doesNotMatch(stderr, /^ +at |unexpected error/m);
  });
}
