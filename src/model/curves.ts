/** The patterns' base curves, worked out once for every minute of a day. */
import type { PatternName } from '../fleet/types.js';
import { isWeekend, MINUTES_PER_DAY } from './calendar.js';
import { type Curve, type DayCurves, PATTERNS } from './patterns.js';

/** One value a minute. Shared: never written to. */
export interface BaseCurves {
  readonly cpu: Float64Array;
  readonly memory: Float64Array;
  readonly io: Float64Array;
}

const known = new Map<string, BaseCurves>();

/** Base curves of a pattern on a day, without variation, bursts and leak. */
export function baseCurves(pattern: PatternName, day: number): BaseCurves {
  const kind = isWeekend(day) ? 'weekend' : 'weekday';
  const key = `${pattern}/${kind}`;
  let curves = known.get(key);
  if (!curves) {
    curves = sample(PATTERNS[pattern][kind]);
    known.set(key, curves);
  }
  return curves;
}

function sample(day: DayCurves): BaseCurves {
  const values = (curve: Curve) =>
    Float64Array.from({ length: MINUTES_PER_DAY }, (_, minute) => curve(minute / 60));
  return { cpu: values(day.cpu), memory: values(day.memory), io: values(day.io) };
}
