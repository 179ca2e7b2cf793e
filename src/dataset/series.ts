/** The series of a dataset, as its records are encoded. */
import { createHash } from 'node:crypto';
import { type Series, seriesIdPrefix } from '../encode/document.js';
import type { Fleet, Machine, Service } from '../fleet/types.js';
import { concerns } from '../model/disturbances.js';
import { regularSampling } from '../model/sampling.js';
import { BACKUP_SERIES, type SeriesDefinition, sampledSeries } from '../model/telemetry-model.js';
import { loadedAssets } from '../plan/plan.js';
import type { Dataset } from './dataset.js';

/** A series of a dataset, as its records are encoded. Backups come when they are due: no jitter. */
export function seriesIn(
  { seed, environment }: Pick<Dataset, 'seed' | 'environment'>,
  { definition }: Pick<Fleet, 'definition'>,
  { assetId, assetType }: Pick<Machine | Service, 'assetId' | 'assetType'>,
  { metricName, unit, section, interval }: SeriesDefinition,
): Series {
  const { jitterMs = 0 } = definition;
  const regular = regularSampling(interval);
  const isJittered = jitterMs > 0 && section !== 'backup';
  return {
    assetId,
    assetType,
    metricName,
    unit,
    section,
    environment,
    idPrefix: seriesIdPrefix(seed, assetId, metricName),
    sampling: isJittered ? { ...regular, jitterMs, jitterSeed: jitterSeed(seed, assetId) } : regular,
  };
}

/** Names a series. A line feed is in no identifier of this program. */
export function seriesKey(assetId: string, metricName: string): string {
  return `${assetId}\n${metricName}`;
}

/**
 * The second records of a series that has some twice. An `_id` tells them from the first ones, in
 * the flat layout and in compressed buckets; all else is the same.
 */
export function doubledSeries(series: Series, { seed }: Pick<Dataset, 'seed'>): Series {
  const { assetId, metricName } = series;
  return { ...series, idPrefix: seriesIdPrefix(seed, assetId, `${metricName} twice`) };
}

/** Whether some records of a series may be there twice. */
function isDoubled({ disturbances = [] }: Machine | Service, metricName: string): boolean {
  return disturbances.some((one) => one.kind === 'duplicate' && concerns(one, metricName));
}

/**
 * All series of a dataset, by asset and metric (see {@link seriesKey}); those of second records,
 * which only the flat layout tells apart, by a key of their own.
 */
export function plannedSeries(dataset: Dataset, fleet: Fleet): Map<string, Series> {
  const planned = new Map<string, Series>();
  for (const asset of loadedAssets(fleet)) {
    const backups = asset.assetType === 'service' ? [] : [BACKUP_SERIES];
    for (const definition of [...sampledSeries(asset), ...backups]) {
      const { section, metricName } = definition;
      if (!dataset.sections.includes(section)) continue;
      const series = seriesIn(dataset, fleet, asset, definition);
      const key = seriesKey(asset.assetId, metricName);
      planned.set(key, series);
      if (dataset.layout === 'flat' && section !== 'backup' && isDoubled(asset, metricName))
        planned.set(`${key}\ntwice`, doubledSeries(series, dataset));
    }
  }
  return planned;
}

function jitterSeed(seed: number, assetId: string): number {
  return createHash('sha256').update(`${seed}\n${assetId}\njitter`).digest().readInt32LE();
}
