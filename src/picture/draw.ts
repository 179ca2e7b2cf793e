/** Readings → picture. Pure. */

import { LocalTime } from '../model/index.js';
import { MINUTES_PER_DAY } from '../plan/index.js';
import { drawAvailability, firstIncidentShown, timelineOf } from './draw-availability.js';
import { drawMetric, type Frame, hoursOf, meansGrid, scalesOf } from './draw-metric.js';
import { EXPECTED_BACKUP_SUCCESS } from './expected.js';
import { figuresOf } from './figures.js';
import type { BackupsPicture, DatasetPicture, MachinePicture, ServicePicture } from './picture.js';
import type { DatasetReadings, MachineReadings } from './readings.js';
import { rounded } from './rounding.js';

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
