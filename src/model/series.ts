/** Which series an asset has. */
import type { ExtraMetric, Machine, Service } from '../fleet/types.js';

/** One series of an asset: what its records are called. */
export interface SeriesDefinition {
  readonly metricName: string;
  readonly unit: string;
  readonly section: 'metrics' | 'polling' | 'backup';
}

const LOAD_SERIES: readonly SeriesDefinition[] = ['cpu_usage', 'memory_usage', 'io_wait'].map(
  (metricName) => ({
    metricName,
    unit: 'percentage',
    section: 'metrics',
  }),
);

const POLLING_SERIES: readonly SeriesDefinition[] = [
  { metricName: 'availability_status', unit: 'percentage', section: 'polling' },
  { metricName: 'response_time_ms', unit: 'milliseconds', section: 'polling' },
];

const MACHINE_SERIES = [...LOAD_SERIES, ...POLLING_SERIES];
const ownSeries = new WeakMap<readonly ExtraMetric[], readonly SeriesDefinition[]>();

/** One record a day: 1.0 success, 0.0 failure. */
export const BACKUP_SERIES: SeriesDefinition = {
  metricName: 'backup_status',
  unit: 'boolean',
  section: 'backup',
};

/** The series of an asset with one record a minute, in the order of the model's columns. */
export function minuteSeries(asset: Machine | Service): readonly SeriesDefinition[] {
  if (asset.assetType === 'service') return POLLING_SERIES;
  return asset.metrics ? withOwn(asset.metrics) : MACHINE_SERIES;
}

function withOwn(metrics: readonly ExtraMetric[]): readonly SeriesDefinition[] {
  let series = ownSeries.get(metrics);
  if (!series) {
    const own = metrics.map(({ name, unit }) => ({ metricName: name, unit, section: 'metrics' as const }));
    series = [...LOAD_SERIES, ...own, ...POLLING_SERIES];
    ownSeries.set(metrics, series);
  }
  return series;
}
