/** A record as a document, in each of the two layouts. This is the one place that knows the documents' shapes. */
import { createHash } from 'node:crypto';
import { type Document, Double, ObjectId } from 'mongodb';
import type { Layout, Section } from '../config/settings.js';
import type { Asset, AssetType } from '../fleet/types.js';

// One series of one run: everything its documents share.

export interface Series {
  readonly assetId: string;
  readonly assetType: AssetType;
  readonly metricName: string;
  readonly unit: string;
  readonly section: Section;
  readonly environment: string;
  /** First eight bytes of every `_id` of the series. */
  readonly idPrefix: Uint8Array;
}

/**
 * The eight bytes that a series' `_id`s begin with: SHA-256 of seed, asset and metric, cut. Two of a million series
 * collide with a probability of 3 in 10⁸.
 */
export function seriesIdPrefix(seed: number, assetId: string, metricName: string): Uint8Array {
  return createHash('sha256').update(`${seed}\n${assetId}\n${metricName}`).digest().subarray(0, 8);
}

const MS_PER_MINUTE = 60_000;

/** The deterministic `_id` of a record: eight bytes of the series, then the minute, high byte first, so that a series is in time order. */
export function recordId(series: Pick<Series, 'idPrefix'>, minute: number): ObjectId {
  const bytes = new Uint8Array(12);
  bytes.set(series.idPrefix);
  new DataView(bytes.buffer).setUint32(8, minute);
  return new ObjectId(bytes);
}

/** A record of the flat layout, field for field the manual's document. */
export function flatDocument(series: Series, minute: number, value: number): Document {
  return {
    _id: recordId(series, minute),
    asset_id: series.assetId,
    metric_name: series.metricName,
    timestamp: new Date(minute * MS_PER_MINUTE),
    value: new Double(value),
    unit: series.unit,
    tags: { environment: series.environment, asset_type: series.assetType },
  };
}

/** A record of the time-series layout: no `_id`, which would double the size. */
export function timeseriesDocument(series: Series, minute: number, value: number): Document {
  return {
    timestamp: new Date(minute * MS_PER_MINUTE),
    meta: { asset_id: series.assetId, metric_name: series.metricName },
    value: new Double(value),
  };
}

/** The document builder of a layout. */
export const documentOf: Readonly<
  Record<Layout, (series: Series, minute: number, value: number) => Document>
> = {
  flat: flatDocument,
  timeseries: timeseriesDocument,
};

// An asset as the document of the `assets` collection.

/** `last_updated` is the window's end: no wall clock enters a document of the dataset. */
export function assetDocument(asset: Asset, lastUpdated: Date): Document {
  return {
    _id: asset.assetId,
    asset_id: asset.assetId,
    asset_type: asset.assetType,
    ...('hostname' in asset ? { hostname: asset.hostname } : {}),
    ...('serviceName' in asset ? { service_name: asset.serviceName } : {}),
    data: asset.data,
    last_updated: lastUpdated,
  };
}
