/** How large a dataset will be, before anything is written. */
import { BSON } from 'mongodb';
import type { LoadSettings } from '../config/settings.js';
import { assetDocument, buildTemplate } from '../encode/index.js';
import type { Fleet, Machine, Service } from '../fleet/types.js';
import { BACKUP_SERIES, minuteSeries, type SeriesDefinition } from '../model/index.js';
import { instantOf, loadedAssets, type Plan } from '../plan/index.js';

export interface SizeEstimate {
  /** BSON bytes of all documents as they are sent; exact. */
  readonly documentBytes: number;
  /** What the server's files will take; about. */
  readonly storageBytes: number;
  readonly indexBytes: number;
}

/**
 * Bytes a record that MongoDB 6.0 keeps on disk, measured with the default fleet over 14 days. WiredTiger compresses
 * documents with snappy and index keys by their prefixes. Other versions and fleets are near it, not at it.
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
      const series = { assetId: '', assetType, metricName, unit, section, environment, idPrefix: NO_PREFIX };
      length = buildTemplate(layout, series).bytes.length;
      without.set(key, length);
    }
    return length + Buffer.byteLength(assetId);
  };
  const perMinute = loadedAssets(fleet).map((asset) =>
    minuteSeries(asset)
      .filter(({ section }) => plan.sections.includes(section))
      .reduce((sum, definition) => sum + lengthOf(asset, definition), 0),
  );
  const perBackup = loadedAssets(fleet).map((asset) => lengthOf(asset, BACKUP_SERIES));

  const lastUpdated = instantOf(plan.window.end);
  let documentBytes = 0;
  for (const asset of [...fleet.machines, ...fleet.services, ...fleet.jobs]) {
    documentBytes += BSON.calculateObjectSize(assetDocument(asset, lastUpdated));
  }
  for (const { assetIndex, from, to, counts } of plan.shards) {
    documentBytes += (to - from) * perMinute[assetIndex] + counts.backup * perBackup[assetIndex];
  }
  const { storage, index } = ON_DISK[layout];
  const onDisk = layout === 'timeseries' && !compresses ? UNCOMPRESSED_BUCKETS : storage;
  return {
    documentBytes,
    storageBytes: Math.round(plan.records * onDisk),
    indexBytes: Math.round(plan.records * index),
  };
}
