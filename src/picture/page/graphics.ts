/**
 * Small graphics as SVG. Coordinates have two digits at most; colours are classes, so that they
 * follow the theme.
 */
import { LocalTime, MINUTES_PER_DAY } from '../../model/local-time.js';
import { type AvailabilityPicture, condense, type DatasetPicture, type Scale, shareOf } from '../picture.js';
import { html, type Markup, trusted } from './words.js';

// Times as the page writes them, by the clocks of the fleet. Minutes are since 1970-01-01 UTC.
// Shared with the page's script.

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MS_PER_MINUTE = 60_000;

/** Sunday first, as pictures have them. */
export const WEEKDAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
/** Monday first: how a working week is read. */
export const WEEK_ORDER = [1, 2, 3, 4, 5, 6, 0];

export interface Tick {
  readonly minute: number;
  readonly label: string;
}

export class Clock {
  readonly #local: LocalTime;

  /** @param zone IANA name of the fleet's time zone */
  constructor(readonly zone: string) {
    this.#local = new LocalTime(zone);
  }

  /** The local day, counted from 1970-01-01. */
  day(minute: number): number {
    return Math.floor(this.#shift(minute) / MINUTES_PER_DAY);
  }

  /** The minute that a local day begins with. */
  midnight(day: number): number {
    return this.#local.toUtc(day, 0);
  }

  /** 0 is Sunday. */
  weekday(minute: number): number {
    return this.#date(minute).getUTCDay();
  }

  /** `2025-02-09 10:30`; `never` of nothing. */
  moment(minute: number | null): string {
    if (minute === null) return 'never';
    return this.#date(minute).toISOString().slice(0, 16).replace('T', ' ');
  }

  /** `10:30`. */
  time(minute: number): string {
    return this.moment(minute).slice(11);
  }

  /** `9 Feb`, or `9 Feb 2025`. */
  date(minute: number, withYear = false): string {
    const date = this.#date(minute);
    const day = `${date.getUTCDate()} ${MONTHS[date.getUTCMonth()]}`;
    return withYear ? `${day} ${date.getUTCFullYear()}` : day;
  }

  /**
   * `2025-01-29 → 2025-02-12`, with the times where they are not midnight; the end is the first
   * minute after.
   */
  period({ start, end }: { readonly start: number; readonly end: number }): string {
    const [from, to] = [this.moment(start), this.moment(end)];
    const whole = from.endsWith('00:00') && to.endsWith('00:00');
    return `${from.slice(0, whole ? 10 : 16)} → ${to.slice(0, whole ? 10 : 16)}`;
  }

  /** At most some seven ticks of a period: hours of a day or two, else midnights. */
  ticks({ start, end }: { readonly start: number; readonly end: number }): Tick[] {
    const days = (end - start) / MINUTES_PER_DAY;
    if (days <= 2) return this.#hours(start, end, Math.max(1, Math.ceil(days * 4) - 1));
    const long = days > 300;
    const step = Math.ceil(days / (long ? 4 : 7));
    const ticks: Tick[] = [];
    for (let day = this.day(start - 1) + 1; this.midnight(day) < end; day += step) {
      const minute = this.midnight(day);
      ticks.push({ minute, label: this.date(minute, long) });
    }
    return ticks;
  }

  #hours(start: number, end: number, step: number): Tick[] {
    const ticks: Tick[] = [];
    // Local hours begin at quarters of those of UTC.
    for (let minute = Math.ceil(start / 15) * 15; minute < end; minute += 15) {
      const time = this.time(minute);
      if (!time.endsWith(':00') || Number(time.slice(0, 2)) % step !== 0) continue;
      ticks.push({ minute, label: time === '00:00' && minute > start ? this.date(minute) : time });
    }
    return ticks;
  }

  #shift(minute: number): number {
    return minute + this.#local.offsetAt(minute);
  }

  #date(minute: number): Date {
    return new Date(this.#shift(minute) * MS_PER_MINUTE);
  }
}

const HEAT_LEVELS = 10;
/** Height of a timeline's cell, and what is still seen of it. */
const CELL = 24;
const LEAST_BAR = 1;
/** Longer cells hold an incident more often than not: a tint would make a good service look bad. */
const LONGEST_TINTED = 180;

export function isTinted({ timeline }: DatasetPicture): boolean {
  return timeline.stepMinutes <= LONGEST_TINTED;
}

function short(value: number): string {
  return String(Math.round(value * 100) / 100);
}

/**
 * A line of so many points, with gaps where nothing is known. Decoration: the numbers stand beside
 * it.
 */
export function line(
  values: readonly (number | null)[],
  scale: Scale,
  className: string,
  points = 84,
): Markup {
  const means = condense(values, Math.min(points, values.length));
  let path = '';
  let drawing = false;
  for (const [x, value] of means.entries()) {
    if (value !== null) path += `${drawing ? 'L' : 'M'}${x} ${short(20 - 20 * shareOf(value, scale))}`;
    drawing = value !== null;
  }
  return html`<svg class="spark ${className}" viewBox="0 -1 ${Math.max(1, means.length - 1)} 22" preserveAspectRatio="none" aria-hidden="true"><path d="${trusted(path)}"/></svg>`;
}

/** Hours across, weekdays down. One path a shade keeps it small. */
export function heatCells(heat: readonly (readonly (number | null)[])[], scale: Scale): Markup {
  const paths = Array.from({ length: HEAT_LEVELS }, () => '');
  for (const [y, weekday] of WEEK_ORDER.entries()) {
    const levels = (heat[weekday] ?? []).map(
      (value) => value !== null && Math.min(HEAT_LEVELS - 1, Math.floor(shareOf(value, scale) * HEAT_LEVELS)),
    );
    // Neighbours of one shade are one rectangle.
    for (let x = 0; x < levels.length; ) {
      const level = levels[x];
      let end = x + 1;
      while (end < levels.length && levels[end] === level) end++;
      if (level !== false) paths[level] += `M${x} ${y}h${end - x}v1h${x - end}z`;
      x = end;
    }
  }
  return html`<svg viewBox="0 0 24 7" preserveAspectRatio="none" aria-hidden="true">${shades(paths)}</svg>`;
}

/** All shades of a heat map, for its legend. */
export function heatRamp(): Markup {
  const paths = Array.from({ length: HEAT_LEVELS }, (_, level) => `M${level} 0h1v1h-1z`);
  return html`<svg class="ramp" viewBox="0 0 ${HEAT_LEVELS} 1" preserveAspectRatio="none" aria-hidden="true">${shades(paths)}</svg>`;
}

function shades(paths: readonly string[]): (Markup | false)[] {
  return paths.map((path, level) => path !== '' && html`<path class="l${level}" d="${trusted(path)}"/>`);
}

/**
 * A bar in each cell of a timeline that is as high as the share of its minutes that were not up. A
 * short cell with any such minute is tinted, for a bar may be low.
 * @param grid places of ticks, 0 to 1
 */
export function timelineCells(
  { cells: { down, degraded } }: AvailabilityPicture,
  picture: DatasetPicture,
  grid: readonly number[],
): Markup {
  const {
    window,
    timeline: { start, stepMinutes },
  } = picture;
  const tinted = isTinted(picture);
  const paths = { 'down tint': '', 'degraded tint': '', degraded: '', down: '' };
  for (const [x, downMinutes] of down.entries()) {
    const minutes = downMinutes + degraded[x];
    if (minutes === 0) continue;
    const whole = Math.min(stepMinutes, window.end - start - x * stepMinutes);
    const height = Math.min(CELL, Math.max(LEAST_BAR, (CELL * minutes) / whole));
    const red = (height * downMinutes) / minutes;
    const bar = (from: number, to: number) => `M${x} ${short(CELL - from)}h1V${short(CELL - to)}h-1z`;
    if (tinted) paths[downMinutes > 0 ? 'down tint' : 'degraded tint'] += bar(0, CELL);
    if (red > 0) paths.down += bar(0, red);
    if (red < height) paths.degraded += bar(red, height);
  }
  const lines = grid.map((at) => `M${short(at * down.length)} 0v${CELL}`).join('');
  const bars = Object.entries(paths).map(
    ([name, path]) => path !== '' && html`<path class="${name}" d="${trusted(path)}"/>`,
  );
  return html`<svg viewBox="0 0 ${down.length} ${CELL}" preserveAspectRatio="none" aria-hidden="true"><path class="grid" d="${trusted(lines)}"/>${bars}</svg>`;
}
