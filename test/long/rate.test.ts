/** `--rate` paces a load evenly, and every load says how long its inserts took. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db } from 'mongodb';
import { type LoadOptions, load, verify } from '../../src/index.js';
import { loadWell } from '../support/dataset.js';
import { END, useServer } from '../support/loading.js';

const file = useServer();

const HOUR: LoadOptions = { start: new Date(END.getTime() - 3 * 3_600_000), end: END, seed: 7 };
const RATE = 8_000;

/** When each insert into this collection was executed, and how many documents it brought. */
async function insertsOf(db: Db, collection: string): Promise<{ at: number; documents: number }[]> {
  const profile = await db
    .collection('system.profile')
    .find({ op: 'insert', ns: `${db.databaseName}.${collection}` })
    .sort({ ts: 1 })
    .toArray();
  return profile.map(({ ts, ninserted }) => ({ at: ts.getTime(), documents: ninserted }));
}

const WAYS = {
  'flat by sequence': { layout: 'flat', writer: 'sequence' },
  'flat by bulkwrite': { layout: 'flat', writer: 'bulkwrite' },
  'time-series by sequence': { layout: 'timeseries', writer: 'sequence' },
} as const satisfies Record<string, LoadOptions>;

for (const [what, way] of Object.entries(WAYS)) {
  test(`${what}: as many records a second as are asked for, evenly, by two workers`, async () => {
    const database = file.freshDatabase();
    const db = file.client.db(database);
    await db.command({ profile: 2 });
    const summary = await file.load(database, { ...HOUR, ...way, rate: RATE, workers: 2 });
    await db.command({ profile: 0 });
    const seconds = summary.records.planned / RATE;
    assert.ok(summary.recordsPerSecond <= RATE * 1.05, String(summary.recordsPerSecond));
    const inserts = await insertsOf(db, 'metrics');
    const sent = inserts.reduce((sum, { documents }) => sum + documents, 0);
    assert.equal(sent, summary.records.planned);
    // However a second is cut out of the load, no more than a second's records are in it, but for
    // the insert that lies across its end and what a busy machine sends late.
    for (const { at } of inserts) {
      const within = inserts.filter((other) => other.at >= at && other.at < at + 1000);
      const records = within.reduce((sum, { documents }) => sum + documents, 0);
      assert.ok(records <= RATE * 1.25, `${records} records within a second of ${seconds.toFixed(1)}`);
    }
    assert.equal((await verify({ uri: file.server.uri, database, workers: 1 })).status, 'equal');
  });
}

test('time-series by buckets: one bucket after the other, as without a rate', async () => {
  const [paced, free] = [file.freshDatabase(), file.freshDatabase()];
  const way = { ...HOUR, start: undefined, days: 1, layout: 'timeseries', writer: 'buckets' } as const;
  const summary = await file.load(paced, { ...way, rate: 60_000, workers: 2 });
  assert.ok(summary.recordsPerSecond <= 60_000 * 1.1, String(summary.recordsPerSecond));
  // At least ten inserts a second, so none of more than 6,000 records.
  assert.ok((summary.inserts?.count ?? 0) >= summary.records.planned / 6_000);
  await file.load(free, way);
  const buckets = async (database: string) =>
    file.client.db(database).collection('system.buckets.metrics').find().sort({ _id: 1 }).toArray();
  assert.deepEqual(await buckets(paced), await buckets(free));
});

test('a signal ends a slow load at once, and what has been sent is safe', async () => {
  const database = file.freshDatabase();
  const stop = new AbortController();
  setTimeout(() => stop.abort(), 1500);
  const started = performance.now();
  const options = { uri: file.server.uri, database, ...HOUR, rate: 20 };
  const summary = await load(options, { signal: stop.signal });
  assert.equal(summary.status, 'interrupted');
  assert.ok(performance.now() - started < 6_000);
  const resumed = await load({ uri: file.server.uri, database, existing: 'resume' });
  assert.equal(resumed.records.inserted, resumed.records.planned);
  assert.equal((await verify({ uri: file.server.uri, database, workers: 1 })).status, 'equal');
});

test('the latency of inserts: in the summary, of each writer, and not where nothing is sent', async () => {
  for (const [layout, writer] of [
    ['flat', 'sequence'],
    ['flat', 'bulkwrite'],
    ['timeseries', 'sequence'],
    ['timeseries', 'buckets'],
  ] as const) {
    const database = file.freshDatabase();
    const { inserts } = await file.load(database, { ...HOUR, layout, writer, workers: 2 });
    assert.ok(inserts, `${layout} ${writer}`);
    const { count, p50Ms, p95Ms, p99Ms, maxMs } = inserts;
    assert.ok(count > 0);
    assert.ok(p50Ms > 0 && p50Ms <= p95Ms && p95Ms <= p99Ms && p99Ms <= maxMs, JSON.stringify(inserts));
    assert.ok(maxMs < 60_000);
    const again = await file.load(database, { ...HOUR, layout });
    assert.equal(again.inserts, undefined);
  }
  const place = { uri: file.server.uri, database: file.freshDatabase() };
  assert.equal((await loadWell(place)).inserts.count > 100, true);
  assert.equal('inserts' in (await loadWell(place, '--writer', 'none')), false);
});
