/** Outages, and how long they are. */
import { duration } from '../report/format.js';
import type { IncidentPicture } from './picture.js';

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

/** An incident is down and then, while it recovers, degraded: its stretches together are one outage. Oldest first, as given. */
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
