/** Records without a server: what a load would write, one after the other or as encoded batches. */
import { BSON, type Document } from 'mongodb';
import type { LoadSettings } from '../config/settings.js';
import { assetDocument, BatchBuffer, buildTemplate, eventDocument, type Series } from '../encode/document.js';
import type { Batch } from '../encode/insert.js';
import type { Fleet, Machine, Service } from '../fleet/types.js';
import { allEvents } from '../model/events.js';
import { regularSampling } from '../model/sampling.js';
import {
  BACKUP_SERIES,
  type SeriesDefinition,
  sampledSeries,
  TelemetryModel,
} from '../model/telemetry-model.js';
import { instantOf, loadedAssets, type Plan, recordCount } from '../plan/plan.js';
import type { Dataset } from './dataset.js';
import { SeriesMemory } from './series.js';
import { MAX_BATCH_RECORDS, ShardSource } from './source.js';

/** Records of one series, in time order, as MongoDB takes them. */
export interface EncodedBatch {
  /** Asset, metric and unit that all of them share. */
  readonly series: Series;
  readonly records: number;
  /**
   * One BSON document after the other. Good until the next batch is asked for: copy what has to
   * stay.
   */
  readonly bytes: Uint8Array;
}

export interface GenerateInput {
  readonly fleet: Fleet;
  readonly dataset: Dataset;
  readonly plan: Plan;
  readonly batchSize: number;
}

/**
 * The documents of a dataset in its layout, asset by asset, series in turn, each of them in time
 * order.
 */
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

/**
 * The records of one asset as they are read, whatever the layout: each series in the order of time,
 * and a sample that is there twice one after the other.
 * @param assetIndex position in `loadedAssets`
 * @param period minutes since the epoch, half open
 */
export function* batchesAsRead(
  model: TelemetryModel,
  dataset: Dataset,
  assetIndex: number,
  period: { readonly from: number; readonly to: number },
  memory = new SeriesMemory(),
): Generator<Batch> {
  const read: Dataset = { ...dataset, layout: 'timeseries' };
  const options = { mergesDoubled: true };
  const shard = { ...period, assetIndex };
  const source = new ShardSource(model, read, shard, MAX_BATCH_RECORDS, memory, options);
  yield* source.batches(new BatchBuffer(0));
}

/** What is true about a dataset besides its records, asset by asset. */
export function* eventDocuments(fleet: Fleet, dataset: Dataset): Generator<Document> {
  const model = new TelemetryModel(fleet, dataset.seed);
  for (const event of allEvents(model, dataset.window, dataset.sections)) {
    yield eventDocument(dataset.seed, event);
  }
}

// How large a dataset will be, before anything is written.

export interface SizeEstimate {
  /** BSON bytes of all documents as they are sent; exact. */
  readonly documentBytes: number;
  /** What the server's files will take; about. */
  readonly storageBytes: number;
  readonly indexBytes: number;
}

/**
 * Bytes a record that MongoDB 6.0 keeps on disk, measured with the default fleet over 14 days.
 * WiredTiger compresses documents with snappy and index keys by their prefixes. Other versions and
 * fleets are near it, not at it.
 */
const ON_DISK = {
  flat: { storage: 30, index: 23 },
  timeseries: { storage: 1.2, index: 0.15 },
} as const;
/** The same of servers before 5.2, which do not compress buckets: five times as much. */
const UNCOMPRESSED_BUCKETS = 5.7;

const NO_PREFIX = new Uint8Array(8);

/**
 * The size of a plan's dataset. Generates nothing: every document of a series has the same length.
 * @param compresses whether the server compresses the buckets of time-series
 */
export function estimateSize(
  fleet: Fleet,
  plan: Plan,
  { layout, environment }: Pick<LoadSettings, 'layout' | 'environment'>,
  compresses = true,
): SizeEstimate {
  /** Documents of one metric and kind of asset differ by the length of their asset's id alone. */
  const without = new Map<string, number>();
  const lengthOf = ({ assetId, assetType }: Machine | Service, definition: SeriesDefinition): number => {
    const { metricName, unit, section } = definition;
    const key = `${assetType} ${metricName} ${unit}`;
    let length = without.get(key);
    if (length === undefined) {
      const sampling = regularSampling(definition.interval);
      const idPrefix = NO_PREFIX;
      const series = { assetId: '', assetType, metricName, unit, section, environment, idPrefix, sampling };
      length = buildTemplate(layout, series).bytes.length;
      without.set(key, length);
    }
    return length + Buffer.byteLength(assetId);
  };
  /** By asset: its series, each with the bytes of one of its records. */
  const perRecord = loadedAssets(fleet).map((asset) =>
    sampledSeries(asset)
      .filter(({ section }) => plan.sections.includes(section))
      .map((definition) => ({ asset, definition, bytes: lengthOf(asset, definition) })),
  );
  const perBackup = loadedAssets(fleet).map((asset) => lengthOf(asset, BACKUP_SERIES));

  const lastUpdated = instantOf(plan.window.end);
  let documentBytes = 0;
  for (const asset of [...fleet.machines, ...fleet.services, ...fleet.jobs]) {
    documentBytes += BSON.calculateObjectSize(assetDocument(asset, lastUpdated));
  }
  for (const { assetIndex, from, to, counts } of plan.shards) {
    for (const { asset, definition, bytes } of perRecord[assetIndex]) {
      documentBytes += recordCount(asset, definition, from, to) * bytes;
    }
    documentBytes += counts.backup * perBackup[assetIndex];
  }
  const { storage, index } = ON_DISK[layout];
  const onDisk = layout === 'timeseries' && !compresses ? UNCOMPRESSED_BUCKETS : storage;
  return {
    documentBytes,
    storageBytes: Math.round(plan.records * onDisk),
    indexBytes: Math.round(plan.records * index),
  };
}
