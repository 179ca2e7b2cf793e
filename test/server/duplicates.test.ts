/**
 * Which duplicate keys mean that a record is there already, in the replies of a real server, for
 * each writer.
 */
import assert from 'node:assert/strict';
import { before, test } from 'node:test';
import type { CreateCollectionOptions, Db } from 'mongodb';
import { ShardSource } from '../../src/dataset/source.js';
import { BatchBuffer } from '../../src/encode/document.js';
import type { Insert } from '../../src/encode/insert.js';
import { DEFAULT_FLEET, planLoad, SeedError } from '../../src/index.js';
import { TelemetryModel } from '../../src/model/telemetry-model.js';
import { SEQUENCE_HEADROOM } from '../../src/write/driver/document-sequence.js';
import { type LoadedSequence, loadSequence, openSink } from '../../src/write/sink.js';
import { HAS_CLUSTERED } from '../support/features.js';
import { datasetOver, useServer } from '../support/loading.js';

const file = useServer();
const MINUTES = 60;
const WINDOW = { start: 29_000_000, end: 29_000_000 + MINUTES };
const CLUSTERED: CreateCollectionOptions = { clusteredIndex: { key: { _id: 1 }, unique: true } };
const KINDS: readonly (readonly [string, CreateCollectionOptions])[] = [
  ['an ordinary collection', {}],
  ...(HAS_CLUSTERED ? [['a clustered collection', CLUSTERED] as const] : []),
];

let sequence: LoadedSequence;
before(async () => {
  sequence = await loadSequence();
});

function insertOf(): Insert {
  const dataset = datasetOver(WINDOW, { sections: ['metrics'] });
  const [shard] = planLoad(DEFAULT_FLEET, WINDOW, ['metrics'], 1).shards;
  const source = new ShardSource(new TelemetryModel(DEFAULT_FLEET, dataset.seed), dataset, shard, MINUTES);
  const insert = source.nextInsert(new BatchBuffer(SEQUENCE_HEADROOM), () => false);
  assert.ok(insert);
  return insert;
}

for (const [kind, options] of KINDS) {
  for (const writer of ['sequence', 'bulkwrite'] as const) {
    const open = async (prepare: (db: Db) => Promise<unknown>) => {
      const db = file.client.db(file.freshDatabase());
      await db.createCollection('metrics', options);
      await prepare(db);
      return { db, sink: openSink(db, writer, undefined, sequence).sink };
    };

    test(`${kind}, ${writer}: records of the same _id are there already`, async () => {
      const { db, sink } = await open((db) => db.collection('metrics').insertOne(insertOf().documents()[5]));
      const { inserted, alreadyThere, duplicates } = await sink.write(insertOf());
      assert.deepEqual([inserted, alreadyThere, duplicates], [MINUTES - 1, 1, [5]]);
      const again = await sink.write(insertOf());
      assert.deepEqual([again.inserted, again.alreadyThere], [0, MINUTES]);
      assert.equal(await db.collection('metrics').countDocuments(), MINUTES);
    });

    for (const name of ['one_a_minute', '_id_ dup key: { _id: 1 }']) {
      test(`${kind}, ${writer}: records that the index "${name}" refuses fail the insert`, async () => {
        const { sink } = await open((db) =>
          db.collection('metrics').createIndex({ asset_id: 1 }, { unique: true, name }),
        );
        await assert.rejects(sink.write(insertOf()), (error) => {
          assert.ok(error instanceof SeedError, String(error));
          assert.equal(error.exitStatus, 5);
          assert.ok(error.message.startsWith(`the unique index ${name} of metrics refuses`), error.message);
          assert.match(error.remedy, /drop that index/);
          return true;
        });
      });
    }
  }
}
