/** Days and minutes, UTC. A day is a whole number of days since 1970-01-01, which was a Thursday. */

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
