/** A record as a document, in each of the two layouts. This is the one place that knows the documents' shapes. */
import { type Document, Double, ObjectId } from 'mongodb';
import type { Layout } from '../config/settings.js';
import type { Series } from './series.js';

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
