/**
 * Long periods and many sites by compressed buckets are what measurements would be, and take no more
 * room. Takes minutes.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Db } from 'mongodb';
import { type LoadOptions, verify } from '../../src/index.js';
import { assertValidBuckets, OWN_METRICS_FLEET, read, weighed } from '../support/buckets.js';
import { END, useServer } from '../support/loading.js';

const file = useServer({ args: ['--setParameter', 'enableTestCommands=1'] });

const CASES: Readonly<Record<string, LoadOptions>> = {
  '14 days': { days: 14 },
  '90 days': { days: 90 },
  'fifty sites': { days: 1, scale: 50 },
  'own metrics, 90 days, unit scale': { days: 90, fleet: OWN_METRICS_FLEET, availabilityScale: 'unit' },
  'a change of clocks': { days: 30, end: new Date('2025-04-15T00:00:00Z'), timezone: 'Europe/Rome' },
};

/** Bytes on disk once all is written, and those of indexes. */
async function sizeOf(db: Db): Promise<{ storage: number; indexes: number; records: number }> {
  await db.admin().command({ fsync: 1 });
  const { storageSize, totalIndexSize } = await db.command({ collStats: 'metrics' });
  return {
    storage: storageSize,
    indexes: totalIndexSize,
    records: await db.collection('metrics').countDocuments(),
  };
}

for (const [what, options] of Object.entries(CASES)) {
  test(`the same as by measurements, in no more room: ${what}`, async (t) => {
    const found = [];
    const sizes = [];
    for (const writer of ['buckets', 'sequence'] as const) {
      const database = file.freshDatabase();
      const db = file.client.db(database);
      const summary = await file.load(database, {
        end: END,
        ...options,
        layout: 'timeseries',
        workers: 2,
        writer,
      });
      assert.deepEqual(summary.loader.writer, { kind: writer });
      const { status, fingerprint, records } = await verify({ uri: file.server.uri, database });
      assert.equal(status, 'equal');
      await assertValidBuckets(db);
      found.push({ fingerprint, records, weighed: await weighed(db), read: await read(db) });
      sizes.push(await sizeOf(db));
    }
    assert.deepEqual(found[0], found[1]);
    const [buckets, sequence] = sizes;
    t.diagnostic(JSON.stringify({ buckets, sequence }));
    // Together: indexes, a twentieth of it, are filled in another order and have some more pages.
    const [own, theirs] = [buckets, sequence].map(({ storage, indexes: more }) => storage + more);
    assert.ok(own <= 1.05 * theirs, `${own} of ${theirs} bytes`);
  });
}
