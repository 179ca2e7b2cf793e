/**
 * What a plain program does: objects from the driver's insertMany, one thread, one batch at a time,
 * series by series. Prints {records, seconds}; the values of the loader's own model are part of the
 * time.
 */
import { MongoClient } from 'mongodb';
import { ShardSource } from '../src/dataset/source.js';
import { BatchBuffer } from '../src/encode/document.js';
import { DEFAULT_FLEET } from '../src/fleet/default.js';
import { TelemetryModel } from '../src/model/telemetry-model.js';
import { ensureCollections } from '../src/store/schema.js';
import { benchDataset, benchPlan, layoutNamed } from './dataset.js';

const BATCH_SIZE = 1000;

const [uri, database, layoutName, days] = process.argv.slice(2);
const layout = layoutNamed(layoutName);
const dataset = benchDataset(layout, Number(days));
const client = new MongoClient(uri);
await client.connect();
const db = client.db(database);
await ensureCollections(db, { layout, clustered: true, ttlDays: undefined }, () => undefined);
const model = new TelemetryModel(DEFAULT_FLEET, dataset.seed);
const started = performance.now();
let records = 0;
const buffer = new BatchBuffer(0);
for (const shard of benchPlan(dataset).shards) {
  const source = new ShardSource(model, dataset, shard, BATCH_SIZE);
  for (let batch = source.nextBatch(buffer); batch; batch = source.nextBatch(buffer)) {
    const options = { ordered: false, forceServerObjectId: layout === 'timeseries' };
    records += (await db.collection('metrics').insertMany(batch.documents(), options)).insertedCount;
  }
}
console.log(JSON.stringify({ records, seconds: (performance.now() - started) / 1000 }));
await client.close();
