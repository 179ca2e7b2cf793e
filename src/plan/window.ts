/** The period of a load, in whole minutes since the Unix epoch (UTC). */
import type { WindowRequest } from '../config/settings.js';
import { usageError } from '../errors.js';

export const MINUTES_PER_DAY = 1440;
const MS_PER_MINUTE = 60_000;

/** Half open: `start` is the first minute of the dataset, `end` the first one after it. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** The whole minute that holds an instant. */
export function minuteOf(instant: Date): number {
  return Math.floor(instant.getTime() / MS_PER_MINUTE);
}

/** The instant at which a minute begins. */
export function instantOf(minute: number): Date {
  return new Date(minute * MS_PER_MINUTE);
}

/**
 * Turns the period asked for into a window.
 *
 * Without `start` and `end` the window holds the last `days` whole days: up to the current minute, or, when the
 * user named a seed and so wants a dataset that can be repeated, up to 00:00 UTC of the current day.
 */
export function resolveWindow(request: WindowRequest, seedGiven: boolean, now: Date): Window {
  const length = request.days * MINUTES_PER_DAY;
  if (request.start && request.end) {
    const window = { start: minuteOf(request.start), end: minuteOf(request.end) };
    if (window.start >= window.end) {
      throw usageError('--start must be before --end', 'give an earlier --start or a later --end');
    }
    return window;
  }
  if (request.start) {
    const start = minuteOf(request.start);
    return { start, end: start + length };
  }
  let end = minuteOf(request.end ?? now);
  if (!request.end && seedGiven) end -= end % MINUTES_PER_DAY;
  return { start: end - length, end };
}
