/** Readings → picture. Pure. */
import { LocalTime } from '../model/local-time.js';
import { duration } from '../output/format.js';
import { MINUTES_PER_DAY } from '../plan/plan.js';
import { EXPECTED_BACKUP_SUCCESS, EXPECTED_UPTIME, figuresOf, type HourTable, total } from './expected.js';
import {
  type AvailabilityPicture,
  type BackupsPicture,
  type DatasetPicture,
  type Grid,
  type IncidentPicture,
  type MachinePicture,
  type MetricPicture,
  type Scale,
  type ServicePicture,
  scaleOf,
} from './picture.js';
import {
  type AvailabilityReadings,
  type DatasetReadings,
  deviationOf,
  type MachineReadings,
  type MetricReadings,
  meanOf,
  rounded,
  significant,
} from './readings.js';

/** A quarter of single backups: more days nobody reads one by one. */
const RUNS_SHOWN = 92;

/** The picture of what was read. */
export function drawPicture(readings: DatasetReadings): DatasetPicture {
  const { source, window, zone, counts, isDefaultFleet } = readings;
  const all = [...readings.machines, ...readings.services].flatMap(({ availability }) => availability ?? []);
  const frame: Frame = {
    window,
    local: new LocalTime(zone),
    means: meansGrid(readings),
    timeline: timelineOf(window),
    scales: scalesOf(readings),
    incidentsSince: firstIncidentShown(all),
    expectsFigures: isDefaultFleet,
  };
  const machines = readings.machines.map((machine) => drawMachine(machine, frame));
  const services = readings.services.map(({ availability, ...service }): ServicePicture => {
    return { ...service, availability: drawAvailability(availability, 'service', frame) };
  });
  const incidents = sum(all, (one) => one.incidents.length);
  const shown = sum([...machines, ...services], ({ availability }) => availability?.incidents.length);
  const measured = machines.flatMap(({ figures }) => figures).filter(({ within }) => within !== null);
  return {
    source,
    window,
    zone,
    counts,
    omitted: {
      machines: counts.machines - machines.length,
      services: counts.services - services.length,
      incidents: incidents - shown,
    },
    means: frame.means,
    timeline: frame.timeline,
    machines,
    services,
    uptime: { machines: uptimeOf(machines), services: uptimeOf(services) },
    backups: {
      attempted: sum(machines, ({ backups }) => backups?.attempted),
      succeeded: sum(machines, ({ backups }) => backups?.succeeded),
    },
    figures: { within: measured.filter(({ within }) => within).length, measured: measured.length },
  };
}

function drawMachine(machine: MachineReadings, frame: Frame): MachinePicture {
  const { assetId, name, assetType, pattern, metrics, availability, backups } = machine;
  const tables = new Map(metrics.map((metric) => [metric.metricName, hoursOf(metric, frame)]));
  return {
    assetId,
    name,
    assetType,
    pattern: pattern ?? null,
    metrics: metrics.map((metric) => drawMetric(metric, frame)),
    figures: figuresOf(frame.expectsFigures ? pattern : undefined, tables),
    availability: drawAvailability(availability, 'machine', frame),
    backups: backups ? drawBackups(backups, assetType, frame) : null,
  };
}

function drawBackups(
  runs: BackupsPicture['runs'],
  assetType: string,
  { window: { start, end }, expectsFigures }: Frame,
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
    expected: (expectsFigures ? EXPECTED_BACKUP_SUCCESS[assetType] : undefined) ?? null,
    runs: runs.filter(({ at }) => at >= end - RUNS_SHOWN * MINUTES_PER_DAY),
    lastGood,
    recoveryPoint: lastGood === null ? null : end - lastGood,
    worstRecoveryPoint: lastGood === null ? null : Math.max(...gaps),
  };
}

/** Of all polled minutes of all assets. */
function uptimeOf(assets: readonly Pick<ServicePicture, 'availability'>[]): number | null {
  const polled = sum(assets, ({ availability }) => availability?.polled);
  return polled === 0 ? null : rounded((100 * sum(assets, ({ availability }) => availability?.up)) / polled);
}

function sum<T>(all: readonly T[], of: (one: T) => number | undefined): number {
  return all.reduce((total, one) => total + (of(one) ?? 0), 0);
}

// One metric, on the means and the scale that all of a picture share.

/**
 * Means on a page, of all metrics: enough to see a day of a few machines, and few enough for a page
 * of 3 MB.
 */
const MOST_MEANS = 200_000;
const MEAN_STEPS = [15, 30, 60, 120, 180, 240, 360, 720];

/** What all parts of one picture share. */
export interface Frame {
  readonly window: DatasetReadings['window'];
  readonly local: LocalTime;
  readonly means: Grid;
  readonly timeline: Grid;
  readonly scales: ReadonlyMap<string, Scale>;
  /** Older incidents are not listed one by one. */
  readonly incidentsSince: number;
  /** Whether what is expected of the default fleet is expected here. */
  readonly expectsFigures: boolean;
}

function metricsOf({ machines, services }: DatasetReadings): MetricReadings[] {
  const responses = [...machines, ...services].flatMap(({ availability }) => availability?.response ?? []);
  return [...machines.flatMap(({ metrics }) => metrics), ...responses];
}

/** The finest means that are few enough. */
function meansGrid(readings: DatasetReadings): Grid {
  const { start, end } = readings.window;
  const metrics = metricsOf(readings);
  const finest = metrics[0]?.buckets.stepMinutes ?? MEAN_STEPS[0];
  const fits = (step: number) => step >= finest && (metrics.length * (end - start)) / step <= MOST_MEANS;
  const stepMinutes = MEAN_STEPS.find(fits) ?? MINUTES_PER_DAY;
  return { start: Math.floor(start / stepMinutes) * stepMinutes, stepMinutes };
}

const keyOf = ({ metricName, unit }: MetricReadings) => JSON.stringify([metricName, unit]);

/** One scale for all assets that have a metric. */
function scalesOf(readings: DatasetReadings): ReadonlyMap<string, Scale> {
  const extremes = new Map<string, { readonly metric: MetricReadings; lowest: number; highest: number }>();
  for (const metric of metricsOf(readings)) {
    const { lowest, highest } = metric.buckets.extremesOfMeans();
    const known = extremes.get(keyOf(metric));
    if (!known) extremes.set(keyOf(metric), { metric, lowest, highest });
    else {
      known.lowest = Math.min(known.lowest, lowest);
      known.highest = Math.max(known.highest, highest);
    }
  }
  const scales = [...extremes].map(
    ([key, { metric, lowest, highest }]) =>
      [key, scaleOf(metric.metricName, metric.unit, lowest, highest)] as const,
  );
  return new Map(scales);
}

/** The sums of every hour of the week. */
function hoursOf({ buckets }: MetricReadings, { local }: Frame): HourTable {
  return buckets.byHourOfWeek(local);
}

/**
 * @param withHeat whether its hours of the week are part of it: most of a large picture would be
 * those of services
 */
function drawMetric(metric: MetricReadings, frame: Frame, withHeat = true): MetricPicture {
  const { metricName, unit, buckets } = metric;
  const { window, means: grid } = frame;
  const table = buckets.byHourOfWeek(frame.local);
  const all = total(table);
  const means = (from: number, step: number, length: number) =>
    Array.from({ length }, (_, i) => meanOf(buckets.between(from + i * step, from + (i + 1) * step)));
  const length = Math.ceil((window.end - grid.start) / grid.stepMinutes);
  return {
    metricName,
    unit,
    scale: frame.scales.get(keyOf(metric)) ?? scaleOf(metricName, unit, 0, 0),
    records: all.count,
    mean: rounded(meanOf(all)),
    min: rounded(all.min),
    max: rounded(all.max),
    deviation: rounded(deviationOf(all)),
    day: means(window.end - MINUTES_PER_DAY, 60, 24).map((mean) => rounded(mean)),
    means: means(grid.start, grid.stepMinutes, length).map(significant),
    heat: (withHeat ? table : []).map((row) => row.map((cell) => rounded(meanOf(cell)))),
  };
}

// What was not up, when, and how long: single incidents, and shares of the cells of a timeline.

/** Incidents on a page that are listed one by one; the newest ones are. */
const MOST_INCIDENTS = 8000;
/** Cells of a timeline: each is still visible on a telephone. */
const MOST_CELLS = 240;
const CELL_STEPS = [10, 15, 30, 60, 120, 180, 360, 720];

/** Short cells of a short window, cells of whole days of a long one. */
function timelineOf({ start, end }: DatasetReadings['window']): Grid {
  const days = Math.ceil((end - start) / MINUTES_PER_DAY / MOST_CELLS);
  const fits = (step: number) => (end - start) / step <= MOST_CELLS;
  return { start, stepMinutes: CELL_STEPS.find(fits) ?? days * MINUTES_PER_DAY };
}

/** From when on incidents are listed, so that they are not more than a page can hold. */
function firstIncidentShown(all: readonly AvailabilityReadings[]): number {
  const begins = all.flatMap(({ incidents }) => incidents.map(({ from }) => from));
  if (begins.length <= MOST_INCIDENTS) return Number.NEGATIVE_INFINITY;
  return begins.sort((a, b) => b - a)[MOST_INCIDENTS] + 1;
}

function drawAvailability(
  readings: AvailabilityReadings | undefined,
  asset: keyof typeof EXPECTED_UPTIME,
  frame: Frame,
): AvailabilityPicture | null {
  if (!readings) return null;
  const { up, degraded, down, incidents, response, timedOut } = readings;
  const polled = up + degraded + down;
  return {
    polled,
    up,
    degraded,
    down,
    uptime: polled === 0 ? null : rounded((100 * up) / polled),
    expected: frame.expectsFigures ? EXPECTED_UPTIME[asset] : null,
    response: response ? { ...drawMetric(response, frame, asset === 'machine'), timedOut } : null,
    outages: outagesOf(incidents).length,
    incidents: incidents.filter(({ from }) => from >= frame.incidentsSince),
    cells: { down: cellsOf(incidents, 'down', frame), degraded: cellsOf(incidents, 'degraded', frame) },
  };
}

/** Minutes of each cell in a state. */
function cellsOf(
  incidents: readonly IncidentPicture[],
  state: IncidentPicture['state'],
  { window, timeline: { start, stepMinutes } }: Frame,
): number[] {
  const cells = Array.from({ length: Math.ceil((window.end - start) / stepMinutes) }, () => 0);
  for (const incident of incidents) {
    if (incident.state !== state) continue;
    for (let from = incident.from; from < incident.to; ) {
      const cell = Math.floor((from - start) / stepMinutes);
      const to = Math.min(incident.to, start + (cell + 1) * stepMinutes);
      cells[cell] += to - from;
      from = to;
    }
  }
  return cells;
}

// Outages, and how long they are.

const MS_PER_MINUTE = 60_000;

/** `53m`, `2h 05m`, `1d 04h`; 0 of nothing. */
export function minutesText(minutes: number): string {
  return minutes === 0 ? '0' : duration(minutes * MS_PER_MINUTE).replace(/ 00s$/, '');
}

/** Minutes on end that are not "up", whatever their states; half open. */
export interface Outage {
  readonly from: number;
  readonly to: number;
  /** Minutes in each state. */
  readonly down: number;
  readonly degraded: number;
}

/**
 * An incident is down and then, while it recovers, degraded: its stretches together are one outage.
 * Oldest first, as given.
 */
export function outagesOf(incidents: readonly IncidentPicture[]): Outage[] {
  const outages: { from: number; to: number; down: number; degraded: number }[] = [];
  for (const { from, to, state } of incidents) {
    let last = outages[outages.length - 1];
    if (last?.to !== from) {
      last = { from, to, down: 0, degraded: 0 };
      outages.push(last);
    }
    last.to = to;
    last[state] += to - from;
  }
  return outages;
}
