/** Names, units and numbers as the page writes them. Shared with the page's script. */
import { count } from '../../report/format.js';
import { minutesText } from '../outages.js';
import { RESPONSE_TIME } from '../scale.js';

const METRIC_LABELS = new Map([
  ['cpu_usage', 'CPU'],
  ['memory_usage', 'Memory'],
  ['io_wait', 'I/O'],
  [RESPONSE_TIME, 'Response time'],
]);
const UNITS = new Map([
  ['percentage', '%'],
  ['milliseconds', 'ms'],
  ['celsius', '°C'],
  ['mbps', 'Mbit/s'],
]);
/** Colours of own metrics come after those of the metrics that all machines have. */
const OWN_COLORS = 3;

/** `cpu_usage` → CPU; others by their own name. */
export function metricLabel(metricName: string): string {
  return METRIC_LABELS.get(metricName) ?? metricName.replaceAll('_', ' ');
}

export function unitLabel(unit: string): string {
  return UNITS.get(unit) ?? unit;
}

/** A number without its unit: `15.2`, `152`, `1,520`, `20k`; no digits that say nothing. */
export function compact(value: number): string {
  const size = Math.abs(value);
  if (size >= 100_000) return size < 999_500 ? `${Math.round(value / 1000)}k` : value.toPrecision(2);
  if (size >= 99.95) return size === value ? count(value) : `−${count(size)}`;
  return String(Number(value.toFixed(size < 1 ? 2 : 1)));
}

/** `15.2 %`, `1,520 ms`; a dash of nothing. */
export function quantity(value: number | null | undefined, unit: string, digits = 1): string {
  if (value === null || value === undefined) return '–';
  const percent = unit === 'percentage' || unit === '%' || unit === 'points';
  return `${percent ? value.toFixed(digits) : compact(value)}\u00a0${unitLabel(unit)}`.trim();
}

/** Per cents to two digits. */
export function share(value: number | null): string {
  return quantity(value, '%', 2);
}

/** A length of time in minutes; a dash where there is none. */
export function length(minutes: number | null): string {
  return minutes === null ? '–' : minutesText(minutes);
}

/** The class that gives a metric its colour: that of a metric that all machines have, or the n-th other one. */
export function metricClass(metricName: string, position: number): string {
  const known = [...METRIC_LABELS.keys()].indexOf(metricName);
  return `m${known >= 0 ? known : METRIC_LABELS.size + (position % OWN_COLORS)}`;
}
