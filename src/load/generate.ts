/** Records without a server: what a load would write, one after the other or as encoded batches. */
import type { Document } from 'mongodb';
import { BatchBuffer, type Series } from '../encode/index.js';
import type { Fleet } from '../fleet/types.js';
import { TelemetryModel } from '../model/index.js';
import type { Plan } from '../plan/index.js';
import type { Dataset } from './run.js';
import { SeriesMemory } from './series-memory.js';
import { ShardSource } from './source.js';

/** Records of one series, in time order, as MongoDB takes them. */
export interface EncodedBatch {
  /** Asset, metric and unit that all of them share. */
  readonly series: Series;
  readonly records: number;
  /** One BSON document after the other. Good until the next batch is asked for: copy what has to stay. */
  readonly bytes: Uint8Array;
}

export interface GenerateInput {
  readonly fleet: Fleet;
  readonly dataset: Dataset;
  readonly plan: Plan;
  readonly batchSize: number;
}

/** The documents of a dataset in its layout, asset by asset, series in turn, each of them in time order. */
export async function* generateRecords(input: GenerateInput): AsyncGenerator<Document, void, undefined> {
  for (const batch of batchesOf(input)) yield* batch.documents();
}

/** The same as batches of bytes: about a tenth of a microsecond a record. */
export async function* generateEncoded(input: GenerateInput): AsyncGenerator<EncodedBatch, void, undefined> {
  for (const batch of batchesOf(input)) {
    yield { series: batch.series, records: batch.records, bytes: batch.encode() };
  }
}

function* batchesOf({ fleet, dataset, plan, batchSize }: GenerateInput) {
  const model = new TelemetryModel(fleet, dataset.seed);
  const memory = new SeriesMemory();
  const buffer = new BatchBuffer(0);
  for (const shard of plan.shards) {
    const source = new ShardSource(model, dataset, shard, batchSize, memory);
    for (let batch = source.nextBatch(buffer); batch; batch = source.nextBatch(buffer)) yield batch;
  }
}
