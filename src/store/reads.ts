/** A small read API over what was loaded, the same for both layouts. */
import type { Db, Document, Filter } from 'mongodb';
import * as z from 'zod';
import type { Layout } from '../config/settings.js';
import { didYouMean, usageError } from '../errors.js';
import { ASSETS, METRICS } from './collections.js';
import { existingLayout } from './schema.js';

/** An asset as stored. */
export interface StoredAsset {
  readonly asset_id: string;
  readonly asset_type: string;
  readonly hostname?: string;
  readonly service_name?: string;
  readonly data: Document;
  readonly last_updated: Date;
}

/** A record as stored, whichever layout holds it. */
export interface StoredRecord {
  readonly assetId: string;
  readonly metricName: string;
  readonly timestamp: Date;
  readonly value: number;
}

export interface RecordQuery {
  readonly metricName?: string;
  /** From this instant on. */
  readonly from?: Date;
  /** Before this instant. */
  readonly to?: Date;
  /** Newest first, this many at most; 1,000 unless given. */
  readonly limit?: number;
}

/** Each value's message is what is allowed. */
const RECORD_QUERY = z
  .strictObject({
    metricName: z.string({ error: 'a text' }),
    from: z.date({ error: 'a Date that is valid' }),
    to: z.date({ error: 'a Date that is valid' }),
    limit: z.int({ error: 'a whole number from 1' }).min(1, { error: 'a whole number from 1' }),
  } satisfies Record<keyof RecordQuery, z.ZodType>)
  .partial();

/**
 * A field that is not known would be left out of the query, and a name that is an object would be
 * an operator.
 */
function checkQuery(assetId: unknown, query: unknown): void {
  checkId('assetId', assetId);
  const [issue] = RECORD_QUERY.safeParse(query).error?.issues ?? [];
  if (issue === undefined) return;
  if (issue.code === 'unrecognized_keys') {
    const [key] = issue.keys;
    throw usageError(`${key} is no field of a query${didYouMean(key, Object.keys(RECORD_QUERY.shape))}`);
  }
  const [field] = issue.path;
  throw usageError(
    field === undefined
      ? 'query: must be an object with metricName, from, to and limit'
      : `${String(field)}: must be ${issue.message}`,
  );
}

function checkId(name: string, id: unknown): void {
  if (typeof id !== 'string') throw usageError(`${name}: must be a text`);
}

/** Reads assets and records of one database. Open it with {@link openReader}. */
export class TelemetryReader {
  constructor(
    readonly db: Db,
    readonly layout: Layout,
  ) {}

  /** All assets, in the order of their ids. */
  assets(): Promise<StoredAsset[]> {
    return this.#findAssets({});
  }

  async assetsByType(assetType: string): Promise<StoredAsset[]> {
    checkId('assetType', assetType);
    return this.#findAssets({ asset_type: assetType });
  }

  async assetById(assetId: string): Promise<StoredAsset | undefined> {
    checkId('assetId', assetId);
    const [asset] = await this.#findAssets({ asset_id: assetId });
    return asset;
  }

  /** Services that run on a machine. */
  async servicesOf(machineId: string): Promise<StoredAsset[]> {
    checkId('machineId', machineId);
    return this.#findAssets({ 'data.parent_asset_id': machineId });
  }

  /**
   * Records of an asset, newest first. @throws SeedError (usage) for a field that is not known or
   * cannot be used
   */
  async records(assetId: string, query: RecordQuery = {}): Promise<StoredRecord[]> {
    checkQuery(assetId, query);
    const filter: Filter<Document> = { [this.#field('asset_id')]: assetId };
    if (query.metricName) filter[this.#field('metric_name')] = query.metricName;
    if (query.from || query.to) {
      filter.timestamp = { ...(query.from && { $gte: query.from }), ...(query.to && { $lt: query.to }) };
    }
    const found = await this.db
      .collection(METRICS)
      .find(filter)
      .sort({ timestamp: -1 })
      .limit(query.limit ?? 1000)
      .toArray();
    return found.map((document) => this.#record(document));
  }

  /** The newest record of each metric of an asset. */
  async latest(assetId: string): Promise<StoredRecord[]> {
    checkId('assetId', assetId);
    const metric = this.#field('metric_name');
    const found = await this.db
      .collection(METRICS)
      .aggregate([
        { $match: { [this.#field('asset_id')]: assetId } },
        // The index backwards: the server jumps from one metric's newest record to the next one's.
        { $sort: { [metric]: -1, timestamp: -1 } },
        { $group: { _id: `$${metric}`, timestamp: { $first: '$timestamp' }, value: { $first: '$value' } } },
        { $sort: { _id: 1 } },
      ])
      .toArray();
    return found.map(({ _id, timestamp, value }) => ({ assetId, metricName: _id, timestamp, value }));
  }

  #field(name: string): string {
    return this.layout === 'flat' ? name : `meta.${name}`;
  }

  #record(document: Document): StoredRecord {
    const { asset_id, metric_name } = this.layout === 'flat' ? document : document.meta;
    return {
      assetId: asset_id,
      metricName: metric_name,
      timestamp: document.timestamp,
      value: document.value,
    };
  }

  #findAssets(filter: Filter<Document>): Promise<StoredAsset[]> {
    return this.db
      .collection<Document>(ASSETS)
      .find<StoredAsset>(filter, { projection: { _id: 0 } })
      .sort({ asset_id: 1 })
      .toArray();
  }
}

/** A reader for a database, in whichever layout its records are. */
export async function openReader(db: Db): Promise<TelemetryReader> {
  return new TelemetryReader(db, (await existingLayout(db)) ?? 'flat');
}
