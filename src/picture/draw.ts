/** Readings → picture. Pure. */
import { MINUTES_PER_DAY } from '../plan/index.js';
import { deviationOf, meanOf } from './buckets.js';
import { figuresOf, total } from './figures.js';
import { outagesOf } from './lasting.js';
import { PROMISED_BACKUP_SUCCESS, PROMISED_UPTIME } from './manual-figures.js';
import type {
  AvailabilityPicture,
  BackupsPicture,
  DatasetPicture,
  MachinePicture,
  MetricPicture,
  ServicePicture,
} from './picture.js';
import type { AvailabilityReadings, DatasetReadings, MachineReadings, MetricReadings } from './readings.js';
import { rounded } from './rounding.js';

const WEEK = 7 * MINUTES_PER_DAY;
/** Means of the week on a page, of all machines: enough for every pixel of a few machines, and few enough for many. */
const MOST_MEANS = 60_000;
const MEAN_STEPS = [15, 30, 60, 120, 240];
/** Incidents on a page; the newest ones stay. */
const MOST_INCIDENTS = 2000;

type Window = DatasetReadings['window'];

/** The picture of what was read. */
export function drawPicture(readings: DatasetReadings): DatasetPicture {
  const { source, window, counts } = readings;
  const week = weekOf(readings);
  const all = [...readings.machines, ...readings.services];
  const since = firstIncidentShown(all.map(({ availability }) => availability));
  const machines = readings.machines.map((machine) => drawMachine(machine, window, week, since));
  const services = readings.services.map(({ availability, ...service }): ServicePicture => {
    return { ...service, availability: drawAvailability(availability, PROMISED_UPTIME.service, since) };
  });
  const shown = [...machines, ...services].reduce(
    (n, one) => n + (one.availability?.incidents.length ?? 0),
    0,
  );
  const incidents = all.reduce((n, one) => n + (one.availability?.incidents.length ?? 0), 0);
  const measured = machines.flatMap(({ figures }) => figures).filter(({ held }) => held !== null);
  return {
    source,
    window,
    zone: 'UTC',
    counts,
    omitted: {
      machines: counts.machines - machines.length,
      services: counts.services - services.length,
      incidents: incidents - shown,
    },
    week,
    machines,
    services,
    uptime: { machines: uptimeOf(machines), services: uptimeOf(services) },
    backups: {
      attempted: machines.reduce((sum, { backups }) => sum + (backups?.attempted ?? 0), 0),
      succeeded: machines.reduce((sum, { backups }) => sum + (backups?.succeeded ?? 0), 0),
    },
    figures: { held: measured.filter(({ held }) => held).length, measured: measured.length },
  };
}

/** Seven days up to the window's end, or the whole window where it is shorter. */
function weekOf({ window, machines }: DatasetReadings): DatasetPicture['week'] {
  const metrics = machines.flatMap((machine) => machine.metrics);
  const from = Math.max(window.start, window.end - WEEK);
  const finest = metrics[0]?.buckets.stepMinutes ?? MEAN_STEPS[0];
  const fits = (step: number) =>
    step >= finest && (metrics.length * (window.end - from)) / step <= MOST_MEANS;
  const stepMinutes = MEAN_STEPS.find(fits) ?? MEAN_STEPS[MEAN_STEPS.length - 1];
  return { start: Math.floor(from / stepMinutes) * stepMinutes, stepMinutes };
}

function drawMachine(
  machine: MachineReadings,
  window: Window,
  week: DatasetPicture['week'],
  since: number,
): MachinePicture {
  const { assetId, name, assetType, pattern = null, metrics, availability, backups } = machine;
  const tables = new Map(metrics.map(({ metricName, buckets }) => [metricName, buckets.byHourOfWeek()]));
  return {
    assetId,
    name,
    assetType,
    pattern,
    metrics: metrics.map((metric) => drawMetric(metric, tables, window, week)),
    figures: figuresOf(machine.keepsToPattern ? machine.pattern : undefined, tables),
    availability: drawAvailability(availability, PROMISED_UPTIME.machine, since),
    backups: backups ? drawBackups(backups, assetType, window) : null,
  };
}

function drawMetric(
  { metricName, unit, buckets }: MetricReadings,
  tables: ReadonlyMap<string, ReturnType<MetricReadings['buckets']['byHourOfWeek']>>,
  { end }: Window,
  week: DatasetPicture['week'],
): MetricPicture {
  const table = tables.get(metricName) ?? [];
  const all = total(table);
  const means = (from: number, step: number, length: number) =>
    Array.from({ length }, (_, i) => {
      const begin = from + i * step;
      return rounded(meanOf(buckets.between(begin, begin + step)));
    });
  return {
    metricName,
    unit,
    records: all.count,
    mean: rounded(meanOf(all)),
    min: rounded(all.min),
    max: rounded(all.max),
    deviation: rounded(deviationOf(all)),
    day: means(end - MINUTES_PER_DAY, 60, 24),
    week: means(week.start, week.stepMinutes, Math.ceil((end - week.start) / week.stepMinutes)),
    heat: table.map((row) => row.map((cell) => rounded(meanOf(cell)))),
  };
}

function drawAvailability(
  readings: AvailabilityReadings | undefined,
  promised: number,
  since: number,
): AvailabilityPicture | null {
  if (!readings) return null;
  const { up, degraded, down, incidents, meanResponseMs } = readings;
  const polled = up + degraded + down;
  return {
    polled,
    up,
    degraded,
    down,
    uptime: polled === 0 ? null : rounded((100 * up) / polled),
    promised,
    meanResponseMs: rounded(meanResponseMs),
    outages: outagesOf(incidents).length,
    incidents: incidents.filter(({ from }) => from >= since),
  };
}

/** From when on incidents are shown, so that they are not more than a page can hold. */
function firstIncidentShown(all: readonly (AvailabilityReadings | undefined)[]): number {
  const begins = all.flatMap((one) => one?.incidents.map(({ from }) => from) ?? []);
  if (begins.length <= MOST_INCIDENTS) return Number.NEGATIVE_INFINITY;
  return begins.sort((a, b) => b - a)[MOST_INCIDENTS - 1] + 1;
}

function drawBackups(
  runs: BackupsPicture['runs'],
  assetType: string,
  { start, end }: Window,
): BackupsPicture {
  const good = runs.filter(({ success }) => success).map(({ at }) => at);
  const lastGood = good.at(-1) ?? null;
  const attempted = runs.length;
  // Before the window nobody knows of a good one: the first gap begins with it.
  const gaps = [...good, end].map((at, i) => at - (i === 0 ? start : good[i - 1]));
  return {
    attempted,
    succeeded: good.length,
    successRate: attempted === 0 ? null : rounded((100 * good.length) / attempted),
    promised: PROMISED_BACKUP_SUCCESS[assetType] ?? null,
    runs,
    lastGood,
    recoveryPoint: lastGood === null ? null : end - lastGood,
    worstRecoveryPoint: lastGood === null ? null : Math.max(...gaps),
  };
}

/** Of all polled minutes of all assets. */
function uptimeOf(assets: readonly { readonly availability: AvailabilityPicture | null }[]): number | null {
  const polled = assets.reduce((sum, { availability }) => sum + (availability?.polled ?? 0), 0);
  const up = assets.reduce((sum, { availability }) => sum + (availability?.up ?? 0), 0);
  return polled === 0 ? null : rounded((100 * up) / polled);
}
