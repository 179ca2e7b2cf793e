/** The series of a whole dataset, without its values. */
import { type Series, seriesIdPrefix } from '../encode/index.js';
import type { Fleet } from '../fleet/types.js';
import type { Dataset } from '../load/run.js';
import { BACKUP_SERIES, minuteSeries } from '../model/index.js';
import { loadedAssets } from '../plan/index.js';
import { seriesKey } from './findings.js';

/** By asset and metric. */
export function plannedSeries({ sections, seed, environment }: Dataset, fleet: Fleet): Map<string, Series> {
  const planned = new Map<string, Series>();
  for (const asset of loadedAssets(fleet)) {
    const { assetId, assetType } = asset;
    const backups = assetType === 'service' ? [] : [BACKUP_SERIES];
    for (const { section, metricName, unit } of [...minuteSeries(asset), ...backups]) {
      if (!sections.includes(section)) continue;
      const idPrefix = seriesIdPrefix(seed, assetId, metricName);
      const series = { assetId, assetType, metricName, unit, section, environment, idPrefix };
      planned.set(seriesKey(assetId, metricName), series);
    }
  }
  return planned;
}
