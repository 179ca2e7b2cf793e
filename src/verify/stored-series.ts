/** How one series of a shard is read from either layout. */
import type { Document } from 'mongodb';
import type { Layout } from '../config/settings.js';
import { recordId, type Series } from '../encode/index.js';
import { METRICS } from '../store/names.js';

const MS_PER_MINUTE = 60_000;
/** Documents the server sends at a time, as far as its 16 MB allow: large enough that round trips do not count. */
const BATCH = 20_000;

/** Records of a series in [from, to), minutes since the epoch, in time order. */
export function findSeries(
  layout: Layout,
  series: Series,
  from: number,
  to: number,
): { find: string } & Document {
  if (layout === 'flat') {
    // A scan of neighbours, and it finds what bears the series' ids whatever else was done to the document.
    const filter = { _id: { $gte: recordId(series, from), $lt: recordId(series, to) } };
    return { find: METRICS, filter, sort: { _id: 1 }, batchSize: BATCH };
  }
  const filter = {
    'meta.asset_id': series.assetId,
    'meta.metric_name': series.metricName,
    timestamp: { $gte: new Date(from * MS_PER_MINUTE), $lt: new Date(to * MS_PER_MINUTE) },
  };
  return { find: METRICS, filter, sort: { timestamp: 1 }, batchSize: BATCH };
}

/** Where a document is in time, by its `_id` in the flat layout: that is what was planned for it. */
export function plannedMinute(layout: Layout, document: Document): number {
  if (layout === 'flat') return Number.parseInt(String(document._id).slice(16), 16);
  return timestampMinute(document);
}

/** By its timestamp; not a number where it has none. */
export function timestampMinute({ timestamp }: Document): number {
  return timestamp instanceof Date ? timestamp.getTime() / MS_PER_MINUTE : Number.NaN;
}
