/**
 * Numbers, times and sizes as people read them. English, without a locale: the same on every
 * machine.
 */
import type { LoadSummary, SectionCounts } from './types.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** `1,895,180`. Rounds to a whole number. */
export function count(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 day`, `14 days`: a count and its noun. */
export function counted(value: number, singular: string, plural = `${singular}s`): string {
  return `${count(value)} ${value === 1 ? singular : plural}`;
}

/** A length of time in milliseconds: `850ms`, `4.7s`, `34s`, `2m 34s`, `1h 02m`, `3d 04h`. */
export function duration(ms: number): string {
  if (ms < 999.5) return `${Math.max(0, Math.round(ms))}ms`;
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)}s`;
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds}s`;
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${two(seconds % 60)}s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h ${two(minutes % 60)}m`;
  const hours = Math.round(minutes / 60);
  return `${Math.floor(hours / 24)}d ${two(hours % 24)}h`;
}

/** Decimal units, one digit: `93.4 MB`. */
export function bytes(value: number): string {
  let amount = value;
  for (const unit of ['B', 'kB', 'MB', 'GB']) {
    if (amount < 999.95) return unit === 'B' ? `${Math.round(amount)} B` : `${amount.toFixed(1)} ${unit}`;
    amount /= 1000;
  }
  return `${amount.toFixed(1)} TB`;
}

/** Rounded down, so that 100 means all of it: `57`, `57.04`. Nothing of nothing is all of it. */
export function percent(done: number, total: number, digits = 0): string {
  const scale = 10 ** digits;
  const share = total > 0 ? Math.min(1, Math.max(0, done / total)) : 1;
  return (Math.floor(share * 100 * scale + 1e-9) / scale).toFixed(digits);
}

/**
 * The length of a window that is a number of days, whole or not: `14 days`, `1 hour`, `90 minutes`.
 */
export function span(days: number): string {
  const minutes = Math.round(days * 1440);
  if (minutes % 1440 === 0) return counted(minutes / 1440, 'day');
  return minutes % 60 === 0 ? counted(minutes / 60, 'hour') : counted(minutes, 'minute');
}

/**
 * `2025-01-26 → 2025-02-09`, with the times where they are not midnight. UTC; the end is the first
 * minute after.
 */
export function period({ start, end }: LoadSummary['window']): string {
  const whole = [start, end].every((instant) => instant.getTime() % DAY_MS === 0);
  const [from, to] = [start, end].map((instant) => utcMinute(instant).slice(0, whole ? 10 : 16));
  return `${from} → ${to} UTC`;
}

/** `2025-02-09 10:30`, UTC. */
export function utcMinute(instant: Date): string {
  return instant.toISOString().slice(0, 16).replace('T', ' ');
}

/** `2025-02-09 10:30:15`, UTC. */
export function utcTime(instant: Date): string {
  return instant.toISOString().slice(0, 19).replace('T', ' ');
}

/** `2025-02-09 10:30:15`, local time. */
export function localTime(instant: Date): string {
  const local = new Date(instant.getTime() - instant.getTimezoneOffset() * MINUTE_MS);
  return local.toISOString().slice(0, 19).replace('T', ' ');
}

/** When something will be done: `10:32:45` today, with the date on another day. Local time. */
export function clock(instant: Date, now: Date): string {
  const [day, time] = localTime(instant).split(' ');
  return day === localTime(now).slice(0, 10) ? time : `${day} ${time.slice(0, 5)}`;
}

/** `604,800 metrics, 1,290,240 polling, 140 backups`, without the sections that have nothing. */
export function sections({ metrics, polling, backup }: SectionCounts): string {
  const parts = [
    metrics > 0 ? counted(metrics, 'metric') : '',
    polling > 0 ? `${count(polling)} polling` : '',
    backup > 0 ? counted(backup, 'backup') : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

// The manual's tree: a heading, and under it branches drawn with ├── and └──.

/** A line of a tree, or one with lines of its own below it. */
export type Branch = string | readonly [text: string, branches: readonly Branch[]];

export const INDENT = '   ';
export const FORK = '├── ';
export const END = '└── ';

/** The lines of some branches, the last one closing the tree. */
export function tree(branches: readonly Branch[], indent = INDENT): string[] {
  return branches.flatMap((branch, index) => {
    const last = index === branches.length - 1;
    const [text, below] = typeof branch === 'string' ? [branch, []] : branch;
    return [`${indent}${last ? END : FORK}${text}`, ...tree(below, `${indent}${last ? '    ' : '│   '}`)];
  });
}

/** Names and values side by side, as branches whose values stand in one column. */
export function columns(rows: readonly (readonly [name: string, value: string])[]): string[] {
  const name = Math.max(0, ...rows.map((row) => row[0].length));
  const value = Math.max(0, ...rows.map((row) => row[1].length));
  return rows.map((row) => `${row[0].padEnd(name)}  ${row[1].padStart(value)}`);
}
