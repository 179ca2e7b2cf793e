/**
 * The memory leak: how full a leaking machine is follows from the calendar alone. It starts afresh when it is restarted, every
 * Sunday at 03:00, and fills up until then.
 */
import { MINUTES_PER_WEEK, minuteOfWeek } from './calendar.js';

const RESTART = 3 * 60;
const EMPTY = 36;
const FULL = 94;
/** From here on the process swaps and its service answers slowly. */
const PRESSURE_BEGINS = 60;
const SERVICE_DEGRADES = 86;

/** How much of the week since the restart is over, from 0 to 1. */
export function weekFilled(day: number, minute: number): number {
  const since = (minuteOfWeek(day, minute) - RESTART + MINUTES_PER_WEEK) % MINUTES_PER_WEEK;
  return since / MINUTES_PER_WEEK;
}

/** Used memory at a minute of a day, in per cent. */
export function leakedMemory(day: number, minute: number): number {
  return EMPTY + (FULL - EMPTY) * weekFilled(day, minute);
}

/** What memory pressure adds to CPU and I/O, in points: nothing until memory is scarce, then ever more. */
export function pressure(memory: number): { readonly cpu: number; readonly io: number } {
  const scarce = Math.max(0, (memory - PRESSURE_BEGINS) / (FULL - PRESSURE_BEGINS));
  return { cpu: 28 * scarce, io: 34 * scarce * scarce };
}

/** True in the last day before the restart, when a leaking process still answers, but badly. */
export function isDegradedByMemory(day: number, minute: number): boolean {
  return leakedMemory(day, minute) >= SERVICE_DEGRADES;
}
