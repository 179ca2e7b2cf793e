/** What was not up, when, and how long: single incidents, and shares of the cells of a timeline. */
import { MINUTES_PER_DAY } from '../plan/index.js';
import { drawMetric, type Frame } from './draw-metric.js';
import { EXPECTED_UPTIME } from './expected.js';
import { outagesOf } from './outages.js';
import type { AvailabilityPicture, Grid, IncidentPicture } from './picture.js';
import type { AvailabilityReadings, DatasetReadings } from './readings.js';
import { rounded } from './rounding.js';

/** Incidents on a page that are listed one by one; the newest ones are. */
const MOST_INCIDENTS = 8000;
/** Cells of a timeline: each is still visible on a telephone. */
const MOST_CELLS = 240;
const CELL_STEPS = [10, 15, 30, 60, 120, 180, 360, 720];

/** Short cells of a short window, cells of whole days of a long one. */
export function timelineOf({ start, end }: DatasetReadings['window']): Grid {
  const days = Math.ceil((end - start) / MINUTES_PER_DAY / MOST_CELLS);
  const fits = (step: number) => (end - start) / step <= MOST_CELLS;
  return { start, stepMinutes: CELL_STEPS.find(fits) ?? days * MINUTES_PER_DAY };
}

/** From when on incidents are listed, so that they are not more than a page can hold. */
export function firstIncidentShown(all: readonly AvailabilityReadings[]): number {
  const begins = all.flatMap(({ incidents }) => incidents.map(({ from }) => from));
  if (begins.length <= MOST_INCIDENTS) return Number.NEGATIVE_INFINITY;
  return begins.sort((a, b) => b - a)[MOST_INCIDENTS] + 1;
}

export function drawAvailability(
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
