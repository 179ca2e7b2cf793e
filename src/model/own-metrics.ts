/** Levels, from 0 to 1, of the metrics that a fleet file adds to a machine, where they do not follow the machine's load. */
import type { MetricPatternName } from '../fleet/types.js';
import { isWeekend } from './calendar.js';
import { weekFilled } from './leak.js';
import { between, night } from './patterns.js';

/** Shares of the range by which a metric varies slowly, together with the machine's load, and from minute to minute. */
export const OWN_SLOW = 0.06;
export const OWN_FAST = 0.02;

const LOW = 0.15;
const HIGH = 0.85;

type LevelAt = (day: number, minute: number) => number;

/** By local day and its minute. */
export const OWN_LEVELS: Readonly<
  Record<Exclude<MetricPatternName, 'follows_cpu' | 'follows_memory' | 'follows_io'>, LevelAt>
> = {
  business_hours: (day, minute) =>
    isWeekend(day) ? LOW : LOW + (HIGH - LOW) * between(minute / 60, 9, 17, 0.75),
  nights: (_day, minute) => LOW + (HIGH - LOW) * night(minute / 60),
  fills_weekly: (day, minute) => 0.05 + 0.9 * weekFilled(day, minute),
  steady: () => 0.5,
};
