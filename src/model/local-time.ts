/**
 * Local time: office hours, nights, weekends and weekly restarts are meant by the clocks where the
 * fleet stands, daylight saving included. Records stay in UTC. Offsets come from the platform's
 * time zone database.
 */
// Days and minutes, UTC. A day is a whole number of days since 1970-01-01, which was a Thursday.

export const MINUTES_PER_DAY = 1440;
export const MINUTES_PER_WEEK = 7 * MINUTES_PER_DAY;

const THURSDAY = 4;

/** 0 is Sunday, 6 is Saturday. */
export function weekday(day: number): number {
  return (((day + THURSDAY) % 7) + 7) % 7;
}

export function isWeekend(day: number): boolean {
  const w = weekday(day);
  return w === 0 || w === 6;
}

export function isMonday(day: number): boolean {
  return weekday(day) === 1;
}

/** Minutes since the last Sunday 00:00. */
export function minuteOfWeek(day: number, minute: number): number {
  return weekday(day) * MINUTES_PER_DAY + minute;
}

/** Minutes of a UTC day in which local clocks go on without a jump and without passing midnight. */
export interface Stretch {
  /** Half open, minutes of the UTC day. */
  readonly from: number;
  readonly to: number;
  /** The local day, counted from 1970-01-01, and its minute at `from`. */
  readonly day: number;
  readonly minute: number;
}

/**
 * How far local time is ahead of UTC on a UTC day, in minutes: `before` up to the minute `change`
 * of the day, `after` from then on.
 */
interface Offsets {
  readonly before: number;
  readonly after: number;
  readonly change: number;
}

const UTC_OFFSETS: Offsets = { before: 0, after: 0, change: MINUTES_PER_DAY };
const MS_PER_MINUTE = 60_000;

export class LocalTime {
  readonly #format: Intl.DateTimeFormat | undefined;
  readonly #offsets = new Map<number, Offsets>();
  #last: { readonly day: number; readonly stretches: readonly Stretch[] } | undefined;

  /** @param timezone IANA name */
  constructor(timezone: string) {
    if (timezone === 'UTC') return;
    this.#format = new Intl.DateTimeFormat('en-US', {
      timeZone: timezone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
  }

  /** The stretches of a UTC day, in their order. */
  stretches(day: number): readonly Stretch[] {
    if (this.#last?.day !== day) this.#last = { day, stretches: [...this.#cut(day)] };
    return this.#last.stretches;
  }

  /**
   * The UTC minute (since the epoch) of a minute of a local day. A minute that is skipped when
   * clocks go forward is as much later; of two that are called the same when clocks go back it is
   * the first.
   */
  toUtc(day: number, minute: number): number {
    const local = day * MINUTES_PER_DAY + minute;
    const earlier = local - this.offsetAt(local - MINUTES_PER_DAY);
    if (local - this.offsetAt(earlier) === earlier) return earlier;
    const later = local - this.offsetAt(local + MINUTES_PER_DAY);
    return local - this.offsetAt(later) === later ? later : earlier;
  }

  *#cut(day: number): Generator<Stretch> {
    const { before, after, change } = this.#offsetsOf(day);
    let from = 0;
    while (from < MINUTES_PER_DAY) {
      const local = day * MINUTES_PER_DAY + from + (from < change ? before : after);
      const localDay = Math.floor(local / MINUTES_PER_DAY);
      const minute = local - localDay * MINUTES_PER_DAY;
      const end = from < change ? change : MINUTES_PER_DAY;
      const to = Math.min(end, from + MINUTES_PER_DAY - minute);
      yield { from, to, day: localDay, minute };
      from = to;
    }
  }

  /** How far local time is ahead of UTC at a UTC minute (since the epoch), in minutes. */
  offsetAt(utc: number): number {
    const day = Math.floor(utc / MINUTES_PER_DAY);
    const { before, after, change } = this.#offsetsOf(day);
    return utc - day * MINUTES_PER_DAY < change ? before : after;
  }

  #offsetsOf(day: number): Offsets {
    if (!this.#format) return UTC_OFFSETS;
    let known = this.#offsets.get(day);
    if (!known) {
      known = findOffsets(this.#format, day);
      this.#offsets.set(day, known);
    }
    return known;
  }
}

function findOffsets(format: Intl.DateTimeFormat, day: number): Offsets {
  const at = (minute: number) => offsetBy(format, day * MINUTES_PER_DAY + minute);
  const before = at(0);
  const after = at(MINUTES_PER_DAY - 1);
  if (before === after) return { before, after, change: MINUTES_PER_DAY };
  let last = 0;
  let change = MINUTES_PER_DAY - 1;
  while (change - last > 1) {
    const middle = (last + change) >> 1;
    if (at(middle) === before) last = middle;
    else change = middle;
  }
  return { before, after, change };
}

/** What the zone's clocks show, less what UTC's do. */
function offsetBy(format: Intl.DateTimeFormat, utc: number): number {
  const shown: Partial<Record<Intl.DateTimeFormatPartTypes, number>> = {};
  for (const { type, value } of format.formatToParts(utc * MS_PER_MINUTE)) shown[type] = Number(value);
  const { year = 0, month = 1, day, hour, minute } = shown;
  return Date.UTC(year, month - 1, day, hour, minute) / MS_PER_MINUTE - utc;
}
