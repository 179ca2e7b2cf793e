/** Times as the page writes them, by the clocks of the fleet. Minutes are since 1970-01-01 UTC. Shared with the page's script. */
import { MINUTES_PER_DAY } from '../../model/calendar.js';
import { LocalTime } from '../../model/local-time.js';

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

  /** `2025-01-29 → 2025-02-12`, with the times where they are not midnight; the end is the first minute after. */
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
