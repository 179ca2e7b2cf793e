/** Names, units, times and numbers as the page writes them. */
import { instantOf } from '../../plan/index.js';
import { utcMinute } from '../../report/format.js';
import { lasting } from '../lasting.js';

const METRIC_LABELS = new Map([
  ['cpu_usage', 'CPU'],
  ['memory_usage', 'Memory'],
  ['io_wait', 'I/O'],
]);
const UNITS = new Map([
  ['percentage', '%'],
  ['milliseconds', 'ms'],
]);
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

/** Sunday first, as the picture has them. */
export const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

/** `cpu_usage` → CPU; others by their own name. */
export function metricLabel(metricName: string): string {
  return METRIC_LABELS.get(metricName) ?? metricName.replaceAll('_', ' ');
}

export function unitLabel(unit: string): string {
  return UNITS.get(unit) ?? unit;
}

/** `15.2 %`; a dash of nothing. */
export function quantity(value: number | null, unit: string, digits = 1): string {
  if (value === null) return '–';
  return `${value.toFixed(digits)}\u00a0${unitLabel(unit)}`.trim();
}

/** Per cents to two digits. */
export function share(value: number | null): string {
  return quantity(value, '%', 2);
}

/** A length of time in minutes; a dash where there is none. */
export function length(minutes: number | null): string {
  return minutes === null ? '–' : lasting(minutes);
}

/** `2025-02-09 10:30`. */
export function moment(minute: number | null): string {
  return minute === null ? 'never' : utcMinute(instantOf(minute));
}

/** `9 Feb`. */
export function shortDate(minute: number): string {
  const date = instantOf(minute);
  return `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
}

/** 0 is Sunday. */
export function weekdayOf(minute: number): number {
  return instantOf(minute).getUTCDay();
}

/** The class that gives a metric its colour: the three that all machines have, or the n-th other one. */
export function metricClass(metricName: string, position: number): string {
  const known = [...METRIC_LABELS.keys()].indexOf(metricName);
  return `m${known >= 0 ? known : 3 + (position % 3)}`;
}
